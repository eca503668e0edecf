use std::ops::Deref;

use lapin::{Channel, Connection};
use tokio::{runtime::Handle, time::timeout};

use super::COMMAND_TIMEOUT;

/// A channel that is closed in good order when it is dropped.
///
/// lapin closes a dropped channel too, but takes the whole connection down when that meets a
/// cancelled consumer or a closing connection. Here the outcome concerns nobody.
pub(super) struct OwnedChannel(Channel);

impl OwnedChannel {
    pub(super) async fn open(connection: &Connection) -> lapin::Result<Self> {
        connection.create_channel().await.map(Self)
    }
}

impl Deref for OwnedChannel {
    type Target = Channel;

    fn deref(&self) -> &Channel {
        &self.0
    }
}

impl Drop for OwnedChannel {
    fn drop(&mut self) {
        if let (true, Ok(runtime)) = (self.status().connected(), Handle::try_current()) {
            let channel = self.0.clone();
            runtime.spawn(async move {
                let _ = timeout(COMMAND_TIMEOUT, channel.close(200, "OK".into())).await;
            });
        }
    }
}
