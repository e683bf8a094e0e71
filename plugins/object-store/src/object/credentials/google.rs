//! Credentials of Google Cloud Storage: a key file, or what the machine is given.

use std::env;
use std::fmt;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use object_store::client::{
    HttpClient, HttpConnector, HttpRequest, HttpRequestBody, ReqwestConnector,
};
use object_store::gcp::GcpCredential;
use object_store::{ClientOptions, CredentialProvider, Error};
use serde_json::{Value, json};
use tokio::sync::Mutex;

use super::text_of;

/// What a key file holds.
pub(crate) enum Key {
    /// The key of a service account: JSON with what signs, and nothing that leads elsewhere.
    ServiceAccount(String),
    /// What `gcloud auth application-default login` writes; the library reads it itself.
    User,
}

/// Reads a key file.
///
/// # Errors
/// What is wrong with it, beginning with its name.
pub(crate) fn read(file: &Path) -> Result<Key, String> {
    look(file).map_err(|what| format!("{} {what}", file.display()))
}

fn look(file: &Path) -> Result<Key, String> {
    let meta = fs::metadata(file).map_err(|error| format!("cannot be read: {error}"))?;
    let text = text_of(file, &meta)?;
    let value: Value = serde_json::from_str(&text).map_err(|_| "is no JSON".to_owned())?;
    match value["type"].as_str() {
        Some("service_account") => {
            let mut key = json!({});
            for name in ["private_key", "private_key_id", "client_email"] {
                let text = value[name].as_str().filter(|text| !text.is_empty());
                key[name] = json!(text.ok_or_else(|| format!("lacks {name}"))?);
            }
            Ok(Key::ServiceAccount(key.to_string()))
        }
        Some("authorized_user") => Ok(Key::User),
        other => Err(format!(
            "is a key of type {}, not service_account or authorized_user; on machines of Google \
             use credentials = \"instance\"",
            other.unwrap_or("unknown")
        )),
    }
}

/// Tokens of the machine's service account, workload identity on Kubernetes among them.
///
/// <https://docs.cloud.google.com/compute/docs/access/authenticate-workloads>
pub(crate) struct Metadata {
    http: HttpClient,
    url: String,
    last: Mutex<Option<(Instant, Arc<GcpCredential>)>>,
}

impl fmt::Debug for Metadata {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Metadata({})", self.url)
    }
}

const HOST: &str = "metadata.google.internal";
const TOKEN: &str = "computeMetadata/v1/instance/service-accounts/default/token";
/// How long the metadata service may take; it is on the same machine.
const PATIENCE: Duration = Duration::from_secs(5);
/// A token is fetched anew when it lives no longer than this: the service renews it then.
const LEFT: Duration = Duration::from_secs(4 * 60);

impl Metadata {
    /// The service where Google's tools look for it.
    ///
    /// # Errors
    /// The client cannot be made.
    pub(crate) fn new() -> object_store::Result<Self> {
        let options = ClientOptions::new()
            .with_allow_http(true)
            .with_connect_timeout(PATIENCE)
            .with_timeout(PATIENCE);
        let host = env::var("GCE_METADATA_HOST").unwrap_or_else(|_| HOST.into());
        Ok(Self {
            http: ReqwestConnector::default().connect(&options)?,
            url: format!("http://{host}/{TOKEN}"),
            last: Mutex::new(None),
        })
    }

    async fn fetch(&self) -> Result<(Instant, Arc<GcpCredential>), String> {
        let mut request = HttpRequest::new(HttpRequestBody::empty());
        *request.uri_mut() = self.url.parse().map_err(|_| "no URL".to_owned())?;
        let flavour = "Google".parse().map_err(|_| "no header".to_owned())?;
        request.headers_mut().insert("metadata-flavor", flavour);
        let answer = self.http.execute(request).await;
        let answer = answer.map_err(|error| format!("no answer: {error}"))?;
        let status = answer.status().as_u16();
        let body = answer.into_body().bytes().await;
        let body = body.map_err(|error| format!("no answer: {error}"))?;
        let token: Value = serde_json::from_slice(&body).unwrap_or_default();
        match (token["access_token"].as_str(), token["expires_in"].as_u64()) {
            (Some(bearer), Some(seconds)) if status == 200 => {
                let bearer = bearer.to_owned();
                let ends = Instant::now() + Duration::from_secs(seconds);
                Ok((ends, Arc::new(GcpCredential { bearer })))
            }
            _ => Err(format!("it answered {status} without a token")),
        }
    }
}

#[async_trait]
impl CredentialProvider for Metadata {
    type Credential = GcpCredential;

    async fn get_credential(&self) -> object_store::Result<Arc<GcpCredential>> {
        let mut last = self.last.lock().await;
        if let Some((ends, known)) = &*last
            && ends.saturating_duration_since(Instant::now()) > LEFT
        {
            return Ok(Arc::clone(known));
        }
        let fetched = self.fetch().await.map_err(|text| Error::Generic {
            store: "credentials",
            source: format!("metadata service {}: {text}", self.url).into(),
        })?;
        let credential = Arc::clone(&fetched.1);
        *last = Some(fetched);
        Ok(credential)
    }
}
