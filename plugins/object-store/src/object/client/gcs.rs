//! Google Cloud Storage, by its XML interface.

use std::env;
use std::path::Path;
use std::sync::Arc;

use object_store::ClientOptions;
use object_store::gcp::GoogleCloudStorageBuilder;
use twinset_plugin_api::DeviceError;

use super::{LIMITS, Made, refuse, retry, unusable};
use crate::object::credentials::google::{self, Key, Metadata};
use crate::object::options::{Credentials, Options};
use crate::object::wire::Signer;

const SERVICE: &str = "https://storage.googleapis.com";

/// Makes the client of a bucket of Google Cloud Storage.
pub(super) fn make(options: &Options, client: ClientOptions) -> Result<Made, DeviceError> {
    let service = options.endpoint.as_deref().unwrap_or(SERVICE);
    let builder = GoogleCloudStorageBuilder::new()
        .with_bucket_name(&options.bucket)
        .with_base_url(service)
        .with_retry(retry())
        .with_client_options(client);
    let builder = match &options.credentials {
        Credentials::Instance => instance(builder)?,
        Credentials::Environment => match env::var_os("GOOGLE_APPLICATION_CREDENTIALS") {
            Some(file) => of_file(builder, Path::new(&file))?,
            None => instance(builder)?,
        },
        Credentials::File { file, .. } => of_file(builder, file)?,
    };
    let store = builder.build().map_err(|error| unusable(&error))?;
    Ok(Made {
        signer: Signer::Gcs {
            credentials: Arc::clone(store.credentials()),
        },
        cloud: Arc::new(store),
        place: format!("{service}/{}", options.bucket),
        lists_uploads: true,
        limits: LIMITS,
    })
}

fn of_file(
    builder: GoogleCloudStorageBuilder,
    file: &Path,
) -> Result<GoogleCloudStorageBuilder, DeviceError> {
    let key = google::read(file).map_err(|text| refuse("credentials_file", text))?;
    Ok(match key {
        Key::ServiceAccount(text) => builder.with_service_account_key(text),
        Key::User => builder.with_application_credentials(file.to_string_lossy()),
    })
}

fn instance(builder: GoogleCloudStorageBuilder) -> Result<GoogleCloudStorageBuilder, DeviceError> {
    let metadata = Metadata::new().map_err(|error| unusable(&error))?;
    Ok(builder.with_credentials(Arc::new(metadata)))
}
