//! The border between the Twinset agent and device plugins, revision 1 (draft).
