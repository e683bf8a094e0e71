CREATE TABLE twinset.version (
    one         boolean PRIMARY KEY DEFAULT true CHECK (one),
    version     integer NOT NULL
);

-- How far each agent was heard.
CREATE TABLE twinset.agent (
    agent       uuid PRIMARY KEY,
    name        text NOT NULL,
    release     text NOT NULL,
    epoch       bigint NOT NULL,
    last        bigint NOT NULL,
    tag         uuid NOT NULL,
    heard       timestamptz NOT NULL
);

-- SQL Server's backup sets: one row, whoever holds copies.
CREATE TABLE twinset.backup_set (
    set_guid    uuid PRIMARY KEY,
    family      uuid,
    fork        uuid,
    database    text,
    server      text,
    kind        text,
    first_lsn   numeric(25),
    last_lsn    numeric(25)
);
CREATE INDEX backup_set_by_family ON twinset.backup_set (family);

-- Which agent knows them on which media set.
CREATE TABLE twinset.holding (
    agent       uuid NOT NULL REFERENCES twinset.agent ON DELETE CASCADE,
    media_set   uuid NOT NULL,
    position    bigint NOT NULL,
    number      integer NOT NULL,
    epoch       bigint NOT NULL,
    set_guid    uuid REFERENCES twinset.backup_set,
    key         text NOT NULL,
    state       text NOT NULL,
    run         uuid,
    database    text,
    kind        text,
    written     timestamptz,
    published   timestamptz,
    bytes       bigint NOT NULL,
    mirrors     integer NOT NULL,
    copy_only   boolean NOT NULL,
    over_damage boolean NOT NULL,
    PRIMARY KEY (agent, media_set, position, number)
);
CREATE INDEX holding_by_set ON twinset.holding (set_guid);

CREATE TABLE twinset.run (
    agent       uuid NOT NULL REFERENCES twinset.agent ON DELETE CASCADE,
    run         uuid NOT NULL,
    epoch       bigint NOT NULL,
    key         text NOT NULL,
    database    text NOT NULL,
    what        text NOT NULL,
    state       text NOT NULL,
    started     timestamptz NOT NULL,
    ended       timestamptz,
    bytes       bigint NOT NULL,
    note        text,
    PRIMARY KEY (agent, run)
);

CREATE TABLE twinset.alert (
    agent       uuid NOT NULL REFERENCES twinset.agent ON DELETE CASCADE,
    id          bigint NOT NULL,
    epoch       bigint NOT NULL,
    code        text NOT NULL,
    object      text NOT NULL,
    severity    text NOT NULL,
    message     text NOT NULL,
    remedy      text NOT NULL,
    scope       text,
    database    text,
    first       timestamptz NOT NULL,
    resolved    timestamptz,
    by_hand     boolean NOT NULL,
    PRIMARY KEY (agent, id)
);

CREATE TABLE twinset.integrity (
    agent       uuid NOT NULL REFERENCES twinset.agent ON DELETE CASCADE,
    id          bigint NOT NULL,
    epoch       bigint NOT NULL,
    database    text NOT NULL,
    instance    text NOT NULL,
    depth       text NOT NULL,
    outcome     text NOT NULL,
    found       text,
    began       timestamptz NOT NULL,
    ended       timestamptz NOT NULL,
    PRIMARY KEY (agent, id)
);

-- Protected databases, as each agent sees them.
CREATE TABLE twinset.member (
    agent       uuid NOT NULL REFERENCES twinset.agent ON DELETE CASCADE,
    scope       text NOT NULL,
    database    text NOT NULL,
    epoch       bigint NOT NULL,
    family      uuid,
    state       text NOT NULL,
    text        text NOT NULL,
    exposed     boolean NOT NULL,
    served_by   text,
    PRIMARY KEY (agent, scope, database)
);

-- The newest backup of each kind of each replica that counts, and who holds it.
CREATE VIEW twinset.last_success AS
SELECT DISTINCT ON (s.family, s.agent_alone, s.name_alone, s.kind)
       s.family, s.database, s.kind, s.written, s.published, s.bytes, s.agent, s.key, s.position
FROM (SELECT b.family, h.database, h.kind, h.written, h.published, h.bytes, h.agent, h.key,
             h.position,
             CASE WHEN b.family IS NULL THEN h.agent END AS agent_alone,
             CASE WHEN b.family IS NULL THEN h.database END AS name_alone
      FROM twinset.holding h LEFT JOIN twinset.backup_set b ON b.set_guid = h.set_guid
      WHERE h.state = 'published' AND NOT h.copy_only AND h.kind IS NOT NULL) s
ORDER BY s.family, s.agent_alone, s.name_alone, s.kind, s.written DESC NULLS LAST,
         s.published DESC NULLS LAST, s.position DESC, s.agent;
