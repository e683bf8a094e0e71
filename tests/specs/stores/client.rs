//! An independent look into a store: objects, without Twinset in between.

use std::sync::Arc;

use futures_util::TryStreamExt;
use object_store::aws::AmazonS3Builder;
use object_store::azure::MicrosoftAzureBuilder;
use object_store::gcp::GoogleCloudStorageBuilder;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, PutPayload};
use serde_json::Value;

/// The bucket of a device's options, and the prefix in it.
fn store(options: &Value) -> (Arc<dyn ObjectStore>, String) {
    // The specs have no other client of this kind, and whoever comes first chooses.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let text = |key: &str| options[key].as_str().unwrap_or_default();
    let (scheme, rest) = text("path").split_once("://").unwrap();
    let (bucket, prefix) = rest.split_once('/').unwrap();
    let keys = std::fs::read_to_string(text("credentials_file")).unwrap();
    let key = |name: &str| {
        let mut lines = keys.lines().filter_map(|line| line.split_once(" = "));
        lines.find(|(known, _)| *known == name).unwrap().1
    };
    let store: Arc<dyn ObjectStore> = match scheme {
        "s3" => Arc::new(
            AmazonS3Builder::new()
                .with_bucket_name(bucket)
                .with_region("us-east-1")
                .with_endpoint(text("endpoint"))
                .with_allow_http(true)
                .with_access_key_id(key("aws_access_key_id"))
                .with_secret_access_key(key("aws_secret_access_key"))
                .build()
                .unwrap(),
        ),
        "az" => Arc::new(
            MicrosoftAzureBuilder::new()
                .with_account(text("account"))
                .with_container_name(bucket)
                .with_endpoint(text("endpoint").to_owned())
                .with_allow_http(true)
                .with_access_key(key("azure_storage_account_key"))
                .build()
                .unwrap(),
        ),
        _ => Arc::new(
            GoogleCloudStorageBuilder::new()
                .with_bucket_name(bucket)
                .with_base_url(text("endpoint"))
                .with_service_account_key(keys.as_str())
                .build()
                .unwrap(),
        ),
    };
    (store, prefix.to_owned())
}

/// Puts other bytes in the place of the only object whose key within its volume begins like this.
pub(crate) fn replace(options: &Value, begins: &str, change: impl Fn(&mut Vec<u8>)) {
    let (store, prefix) = store(options);
    let runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = { runtime }.enable_all().build().unwrap();
    runtime.block_on(async {
        let found: Vec<_> = store
            .list(Some(&Path::from(prefix)))
            .try_collect()
            .await
            .unwrap();
        let mark = format!("/{begins}");
        let mut wanted = found
            .iter()
            .filter(|meta| meta.location.as_ref().contains(&mark));
        let place = wanted.next().unwrap().location.clone();
        assert_eq!(wanted.next(), None);
        let bytes = store.get(&place).await.unwrap().bytes().await.unwrap();
        let mut bytes = bytes.to_vec();
        change(&mut bytes);
        store.put(&place, PutPayload::from(bytes)).await.unwrap();
    });
}
