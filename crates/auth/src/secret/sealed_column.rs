use sea_orm::EnumIter;

/// Every column that holds sealed values. A [`Place`] can only be made from one of them, so that
/// `plumbline keys re-encrypt` forgets none. An empty value is no secret and is left alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter)]
pub(crate) enum SealedColumn {
    /// PKCS#8.
    SigningKey,
    TotpSecret,
    /// Nonce and PKCE verifier of a log-in that is under way.
    ExternalLogin,
}

/// The primary key of a sealed column's table: its column, and its type. A seal knows the row by
/// the key's text, that of bytes being their unpadded base64url.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RowId {
    Text(&'static str),
    Uuid(&'static str),
    Bytes(&'static str),
}

impl SealedColumn {
    pub(crate) const fn table(self) -> &'static str {
        match self {
            Self::SigningKey => "signing_keys",
            Self::TotpSecret => "totp_credentials",
            Self::ExternalLogin => "external_logins",
        }
    }

    pub(crate) const fn column(self) -> &'static str {
        match self {
            Self::SigningKey => "private_key",
            Self::TotpSecret => "secret",
            Self::ExternalLogin => "secrets",
        }
    }

    pub(crate) const fn row_id(self) -> RowId {
        match self {
            Self::SigningKey => RowId::Text("kid"),
            Self::TotpSecret => RowId::Uuid("user_id"),
            Self::ExternalLogin => RowId::Bytes("state_hash"),
        }
    }

    /// The value of this column in one row.
    pub(crate) const fn of(self, row: &str) -> Place<'_> {
        Place { column: self, row }
    }
}

/// Where a sealed value lives. A value copied to another row or column does not open there.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'a> {
    column: SealedColumn,
    row: &'a str,
}

impl Place<'_> {
    /// What the seal is bound to.
    pub(super) fn additional_data(&self) -> String {
        let Self { column, row } = self;
        format!("{}\0{row}\0{}", column.table(), column.column())
    }
}
