//! Azure Blob Storage.

use std::env;
use std::sync::Arc;

use object_store::ClientOptions;
use object_store::azure::{AzureConfigKey, MicrosoftAzureBuilder};
use object_store::client::HttpClient;
use twinset_plugin_api::DeviceError;

use super::{Made, Shared, from_file, retry, unusable};
use crate::object::bucket::Limits;
use crate::object::options::{Credentials, Options};
use crate::object::wire::Signer;

/// 50,000 blocks; parts of ours are small against what a block may be.
const LIMITS: Limits = Limits {
    parts: 50_000,
    object: 5 << 40,
};

/// Makes the client of a container of Azure.
pub(super) fn make(
    options: &Options,
    (client, http): (ClientOptions, &HttpClient),
    account: &str,
) -> Result<Made, DeviceError> {
    let mut builder = MicrosoftAzureBuilder::new()
        .with_account(account)
        .with_container_name(&options.bucket)
        .with_allow_http(options.allow_http)
        .with_retry(retry())
        .with_client_options(client);
    if let Some(endpoint) = &options.endpoint {
        builder = builder.with_endpoint(endpoint.clone());
    }
    builder = match &options.credentials {
        Credentials::Instance => identity(builder),
        Credentials::Environment => from_environment(builder),
        Credentials::File { file, profile } => builder
            .with_http_connector(Shared(http.clone()))
            .with_credentials(from_file(file, profile)?),
    };
    let store = builder.build().map_err(|error| unusable(&error))?;
    let service = options.endpoint.clone();
    let service = service.unwrap_or_else(|| format!("https://{account}.blob.core.windows.net"));
    Ok(Made {
        signer: Signer::Azure {
            account: account.to_owned(),
            credentials: Arc::clone(store.credentials()),
        },
        cloud: Arc::new(store),
        place: format!("{service}/{}", options.bucket),
        // Blocks that no list names go away by themselves, and cannot be listed before.
        lists_uploads: false,
        limits: LIMITS,
    })
}

fn from_environment(mut builder: MicrosoftAzureBuilder) -> MicrosoftAzureBuilder {
    use AzureConfigKey as Key;
    let keys = [
        ("AZURE_STORAGE_ACCOUNT_KEY", Key::AccessKey),
        ("AZURE_STORAGE_KEY", Key::AccessKey),
        ("AZURE_STORAGE_SAS_TOKEN", Key::SasKey),
        ("AZURE_CLIENT_ID", Key::ClientId),
        ("AZURE_CLIENT_SECRET", Key::ClientSecret),
        ("AZURE_TENANT_ID", Key::AuthorityId),
        ("AZURE_FEDERATED_TOKEN_FILE", Key::FederatedTokenFile),
        // Where the clouds of governments ask for tokens; workload identity sets it everywhere.
        ("AZURE_AUTHORITY_HOST", Key::AuthorityHost),
    ];
    for (name, key) in keys {
        if let Ok(value) = env::var(name) {
            // Workload identity writes the host with a slash behind it.
            let value = match key {
                Key::AuthorityHost => value.trim_end_matches('/').to_owned(),
                _ => value,
            };
            builder = builder.with_config(key, value);
        }
    }
    identity(builder)
}

/// The managed identity of App Service and containers is asked for where these variables say. A
/// machine may have several: which one is meant is said as Azure's own tools have it said.
fn identity(mut builder: MicrosoftAzureBuilder) -> MicrosoftAzureBuilder {
    if let Ok(client) = env::var("AZURE_CLIENT_ID") {
        builder = builder.with_client_id(client);
    }
    match env::var("IDENTITY_ENDPOINT").or_else(|_| env::var("MSI_ENDPOINT")) {
        Ok(place) => builder.with_config(AzureConfigKey::MsiEndpoint, place),
        Err(_) => builder,
    }
}
