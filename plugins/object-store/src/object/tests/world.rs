//! Devices over one store in memory.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use async_trait::async_trait;
use futures_util::stream::BoxStream;
use object_store::memory::InMemory;
use object_store::multipart::{MultipartStore, PartId};
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartId, MultipartUpload,
    ObjectMeta, ObjectStore, PutMode, PutMultipartOptions, PutOptions, PutPayload, PutResult,
    Result,
};
use twinset_plugin_api::{
    Access, Device, DeviceError, Host, Mount, OpenRequest, SectionMode, SectionRequest,
};

use crate::object::bucket::{Bucket, Limits};
use crate::object::device::Store;
use crate::object::runner::Runner;

pub(crate) const KEY: &str = "6a1f7c1e-0000-4000-8000-000000000001";
pub(crate) const RUN: [u8; 16] = [0x5a; 16];
const MIB: u64 = 1 << 20;

/// A store in memory that can be told to go wrong.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    inner: InMemory,
    /// Create-only puts replace what is there.
    pub(crate) ignores_create: AtomicBool,
    /// The next create-only put is carried out, and then answered as if somebody else had done it.
    pub(crate) loses_answer: AtomicBool,
    /// The next completion is carried out, and its answer lost.
    pub(crate) loses_completion: AtomicBool,
    /// Completed objects lack their last byte.
    pub(crate) truncates: AtomicBool,
    /// Parts that still arrive before all that follow fail.
    pub(crate) parts_left: AtomicU64,
    pub(crate) fails_parts: AtomicBool,
    /// Most parts that were on their way at a time.
    pub(crate) flying: AtomicU64,
    pub(crate) most: AtomicU64,
}

impl fmt::Display for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Memory")
    }
}

fn on(flag: &AtomicBool) -> bool {
    flag.load(Ordering::SeqCst)
}

fn broken() -> Error {
    Error::Generic {
        store: "memory",
        source: "status code: 500: <Code>InternalError</Code>".into(),
    }
}

#[async_trait]
impl ObjectStore for Memory {
    async fn put_opts(
        &self,
        place: &Path,
        payload: PutPayload,
        mut options: PutOptions,
    ) -> Result<PutResult> {
        if on(&self.ignores_create) {
            options.mode = PutMode::Overwrite;
        }
        let creates = options.mode == PutMode::Create;
        let done = self.inner.put_opts(place, payload, options).await?;
        if creates && self.loses_answer.swap(false, Ordering::SeqCst) {
            let path = place.to_string();
            let source = "412".into();
            return Err(Error::AlreadyExists { path, source });
        }
        Ok(done)
    }

    async fn put_multipart_opts(
        &self,
        place: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.inner.put_multipart_opts(place, options).await
    }

    async fn get_opts(&self, place: &Path, options: GetOptions) -> Result<GetResult> {
        self.inner.get_opts(place, options).await
    }

    fn delete_stream(
        &self,
        places: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        self.inner.delete_stream(places)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.inner.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.inner.copy_opts(from, to, options).await
    }
}

#[async_trait]
impl MultipartStore for Memory {
    async fn create_multipart(&self, place: &Path) -> Result<MultipartId> {
        self.inner.create_multipart(place).await
    }

    async fn put_part(
        &self,
        place: &Path,
        id: &MultipartId,
        number: usize,
        data: PutPayload,
    ) -> Result<PartId> {
        let flying = self.flying.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(flying, Ordering::SeqCst);
        tokio::task::yield_now().await;
        let count = |left: u64| left.checked_sub(1);
        let order = Ordering::SeqCst;
        let left = self.parts_left.fetch_update(order, order, count);
        let sent = if on(&self.fails_parts) && left.is_err() {
            Err(broken())
        } else {
            self.inner.put_part(place, id, number, data).await
        };
        self.flying.fetch_sub(1, Ordering::SeqCst);
        sent
    }

    async fn complete_multipart(
        &self,
        place: &Path,
        id: &MultipartId,
        parts: Vec<PartId>,
    ) -> Result<PutResult> {
        let done = self.inner.complete_multipart(place, id, parts).await?;
        if on(&self.truncates) {
            let bytes = self.inner.get_opts(place, GetOptions::default()).await?;
            let bytes = bytes.bytes().await?;
            let short = bytes.slice(..bytes.len() - 1);
            return self
                .inner
                .put_opts(place, short.into(), PutOptions::default())
                .await;
        }
        if self.loses_completion.swap(false, Ordering::SeqCst) {
            let path = place.to_string();
            let source = "404".into();
            return Err(Error::NotFound { path, source });
        }
        Ok(done)
    }

    async fn abort_multipart(&self, place: &Path, id: &MultipartId) -> Result<()> {
        self.inner.abort_multipart(place, id).await
    }
}

/// A bucket in memory.
pub(crate) struct World {
    pub(crate) memory: Arc<Memory>,
    pub(crate) limits: Limits,
}

impl World {
    pub(crate) fn new() -> Self {
        let limits = Limits {
            parts: 10_000,
            object: 5 << 40,
        };
        let memory = Arc::default();
        Self { memory, limits }
    }

    pub(crate) fn bucket(&self) -> Bucket {
        Bucket {
            cloud: Arc::clone(&self.memory) as _,
            wire: None,
            lists_uploads: false,
            lock: None,
            pace: None,
            parallel: 3,
            prefix: "sql-a".into(),
            shown: "s3://backup/sql-a".into(),
            limits: self.limits,
        }
    }

    pub(crate) fn open(&self, agent: &str, access: Access) -> Store {
        let request = OpenRequest {
            options: "",
            agent_id: agent,
            access,
        };
        let runner = Runner::new(Host::silent()).unwrap();
        Store::new(self.bucket(), runner, &request)
    }

    /// A device with a new volume.
    pub(crate) fn blank(&self) -> Store {
        let mut device = self.open("agent-1", Access::Write);
        device.mount(Mount::Blank(KEY)).unwrap();
        device
    }

    /// A device with the volume that is there.
    pub(crate) fn existing(&self, access: Access) -> Store {
        let mut device = self.open("agent-1", access);
        device.mount(Mount::Existing(KEY)).unwrap();
        device
    }

    /// Every key in the bucket, without the volume's prefix.
    pub(crate) fn keys(&self) -> Vec<String> {
        let prefix = format!("sql-a/{KEY}");
        let bucket = self.bucket();
        let runner = Runner::new(Host::silent()).unwrap();
        let all = runner.wait(bucket.list(&prefix)).unwrap();
        let mut keys: Vec<String> = all.into_iter().map(|(key, _)| key).collect();
        keys.sort();
        keys
    }

    /// Puts an object of somebody else.
    pub(crate) fn put(&self, key: &str, bytes: &[u8]) {
        let runner = Runner::new(Host::silent()).unwrap();
        let bytes = bytes.to_vec().into();
        runner.wait(self.bucket().put_over(key, bytes)).unwrap();
    }

    /// Removes an object behind the device's back.
    pub(crate) fn remove(&self, key: &str) {
        let runner = Runner::new(Host::silent()).unwrap();
        runner.wait(self.bucket().remove(key)).unwrap();
    }
}

pub(crate) fn section(index: u64, name: &str) -> SectionRequest<'_> {
    SectionRequest {
        index,
        name,
        run_id: RUN,
        expected_length: None,
        mode: SectionMode::New,
    }
}

pub(crate) fn put(device: &mut dyn Device, index: u64, name: &str, bytes: &[u8]) {
    device.begin_section(&section(index, name)).unwrap();
    device.write(bytes).unwrap();
    device.end_section().unwrap();
}

pub(crate) fn get(device: &mut dyn Device, index: u64) -> Vec<u8> {
    let length = device.open_section(index).unwrap();
    let mut bytes = vec![0; usize::try_from(length).unwrap() + 1];
    let mut filled = 0;
    loop {
        match device.read(&mut bytes[filled..]).unwrap() {
            0 => break,
            got => filled += got,
        }
    }
    bytes.truncate(filled);
    bytes
}

pub(crate) fn refused<T: fmt::Debug>(result: std::result::Result<T, DeviceError>) -> DeviceError {
    result.unwrap_err()
}

/// Bytes that are unlike in every part.
pub(crate) fn bytes(length: u64) -> Vec<u8> {
    (0..length)
        .map(|n| ((n * 7 + n / MIB) % 251) as u8)
        .collect()
}
