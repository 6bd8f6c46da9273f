import type { JWK } from 'jose';
import type { ColumnType, Generated, JSONColumnType, Kysely } from 'kysely';

import type { ChangeMembers } from './changes/log.js';
import type { StoredRegistration } from './clients/registration.js';
import type { ConsentEventType, DetailLevel, PrivacyNotice } from './consent/types.js';

type Timestamp = ColumnType<Date, Date | string | undefined, Date | string>;

/** Append-only. Column names are those of ISO/IEC TS 27560 where it has one. */
export interface ConsentEventTable {
  readonly event_id: Generated<number>;
  /** The consent. */
  readonly record_id: string;
  readonly event_type: ConsentEventType;
  readonly event_time: Timestamp;
  /** The subject. */
  readonly pii_principal_id: string;
  readonly client_id: string;
  /** Who did it: a subject, or the name of a part of the system. */
  readonly entity_id: string;
  readonly scopes: string[];
  readonly purposes: string[];
  readonly detail: DetailLevel;
  readonly valid_until: Timestamp;
  readonly version: number;
  /** The words that the person was shown. */
  readonly privacy_notice: JSONColumnType<PrivacyNotice> | null;
  readonly reason: string | null;
  readonly declined: Generated<string[]>;
  readonly declined_purposes: Generated<string[]>;
  readonly schema_version: Generated<string>;
  /** Of the policy that the offer was cut to; null where nothing was offered. */
  readonly policy_version: string | null;
  /** The consent in whose place this one came. */
  readonly replaces: string | null;
}

/** The projection of the events. */
export interface ConsentTable {
  id: string;
  version: number;
  subject: string;
  client_id: string;
  scopes: string[];
  declined: string[];
  purposes: string[];
  declined_purposes: string[];
  detail: DetailLevel;
  /** `active` is not enough to be in force: see `until`. */
  status: 'active' | 'revoked' | 'expired' | 'replaced';
  granted_at: Timestamp;
  until: Timestamp;
  ended_at: Timestamp | null;
  ended_by: string | null;
  ended_reason: string | null;
  /** Codes and refresh tokens issued up to then give no new token. */
  tokens_not_before: Timestamp | null;
}

/** Append-only: consents of one person that somebody else took out. */
export interface ConsentExportTable {
  readonly export_id: Generated<number>;
  readonly event_time: Timestamp;
  readonly pii_principal_id: string;
  readonly entity_id: string;
  readonly reason: string;
  readonly records: number;
}

/** The projection of the application events. */
export interface ApplicationTable {
  client_id: string;
  registration: JSONColumnType<StoredRegistration>;
  /** SHA-256 of the client's secret, base64url. */
  secret_digest: string | null;
  registered_at: Timestamp;
  changed_at: Timestamp;
  retired_at: Timestamp | null;
}

/** Append-only: what happened to each application. */
export interface ApplicationEventTable {
  readonly event_id: Generated<number>;
  readonly client_id: string;
  readonly event_type: 'registered' | 'changed' | 'secret_renewed' | 'retired';
  readonly event_time: Timestamp;
  readonly entity_id: string;
  readonly registration: JSONColumnType<StoredRegistration>;
  readonly reason: string | null;
}

/** Sign-ins up to `not_before` are over. */
export interface SubjectCutoffTable {
  subject: string;
  not_before: Timestamp;
}

/** The last sequence number; its one row's lock puts the writers in order. */
export interface ChangeHeadTable {
  single: boolean;
  seq: number;
}

/** Append-only; see changes/log.ts. */
export interface ChangeEventTable {
  readonly seq: number;
  readonly jti: string;
  readonly kind: string;
  readonly members: JSONColumnType<ChangeMembers>;
  readonly initiator: 'user' | 'admin' | 'policy';
  readonly reason: string | null;
  /** Who wanted it: a subject, or the name of a part of the system. */
  readonly entity_id: string | null;
  readonly occurred_at: Timestamp;
}

/** One SSF stream: a receiver's place in the log. */
export interface StreamTable {
  id: string;
  /** Whose it is, by the name that the options give: nobody else sees it. */
  receiver: Generated<string>;
  /** Of its own secret, see changes/receivers.ts. Null: nobody has it. */
  secret_digest: Buffer | null;
  events: string[];
  events_requested: Generated<string[]>;
  status: Generated<'enabled' | 'paused' | 'disabled'>;
  status_reason: string | null;
  /** It was stopped, or narrowed, and may never tell what happened meanwhile. */
  has_gap: Generated<boolean>;
  /** RFC 8935; without one the receiver polls. */
  push_endpoint: string | null;
  /** The receiver's `authorization_header`, encrypted. */
  push_nonce: Buffer | null;
  push_ciphertext: Buffer | null;
  /** In a row. */
  push_failures: Generated<number>;
  push_not_before: Timestamp;
  /** The round that pushes it, and until when no other may. */
  push_lease: string | null;
  push_lease_until: Timestamp;
  verified_at: Timestamp | null;
  /** Everything up to here is delivered. */
  delivered_seq: number;
  created_at: Timestamp;
  polled_at: Timestamp;
  /** How the receiver calls itself. */
  description: string | null;
  /** A gateway that has heard nothing for longer denies by itself. Null: the receiver is no gateway. */
  max_staleness_ms: number | null;
}

/** Sessions that ended before their time. */
export interface EndedSessionTable {
  session_id: string;
  ended_at: Timestamp;
}

/** What is suspended, or was. */
export interface SuspensionTable {
  readonly id: Generated<number>;
  readonly kind: 'client' | 'scope' | 'everything';
  /** A client's identifier, a scope's name, or empty. */
  readonly target: string;
  readonly since: Timestamp;
  readonly suspended_by: string;
  readonly reason: string;
  /** When the change log last said so. */
  announced_at: Timestamp;
  ended_at: Timestamp | null;
  ended_by: string | null;
  ended_reason: string | null;
}

/** Deliveries beyond `delivered_seq`. */
export interface StreamAckTable {
  stream_id: string;
  seq: number;
}

/** A verification event (SSF 1.0, section 8.1.4) that was asked for and not yet delivered. */
export interface StreamVerificationTable {
  stream_id: string;
  jti: string;
  state: string | null;
  requested_at: Timestamp;
}

/** See keys/rotate.ts. */
export interface SigningKeyTable {
  kid: string;
  public_jwk: JSONColumnType<JWK>;
  /** The private half, encrypted; none once the key is revoked. */
  nonce: Buffer | null;
  ciphertext: Buffer | null;
  published_at: Timestamp;
  signs_from: Timestamp | null;
  signs_until: Timestamp | null;
  /** When it leaves the JWKS. */
  gone_at: Timestamp | null;
  revoked_at: Timestamp | null;
}

/** A living access token's place in a status list; see status/list.ts. */
export interface TokenStatusTable {
  list: number;
  idx: number;
  jti: string;
  subject: string;
  client_id: string;
  consent_id: string | null;
  /** `sid` */
  session_id: string | null;
  /** Every client that acts in it (RFC 8693). */
  actors: Generated<string[]>;
  /** `jti` of every token that it came from by exchange. */
  exchanged_from: Generated<string[]>;
  /** Its `iat` is this moment. */
  issued_at: Timestamp;
  expires_at: Timestamp;
  revoked: Generated<boolean>;
}

/** People who sign in here. */
export interface AccountTable {
  subject: string;
  username: string;
  display_name: string;
  password_hash: string;
  roles: string[];
  policies: string[];
  /** Its password is public: not found outside of demo mode. */
  demo: boolean;
}

/** Keys and secrets, encrypted. */
export interface SealedSecretTable {
  name: string;
  nonce: Buffer;
  ciphertext: Buffer;
  created_at: Timestamp;
}

/** What oidc-provider keeps. */
export interface OidcPayloadTable {
  model: string;
  id: string;
  payload: JSONColumnType<object>;
  grant_id: string | null;
  uid: string | null;
  account_id: string | null;
  client_id: string | null;
  consumed_at: Timestamp | null;
  expires_at: Timestamp | null;
}

/** The authority's part of the store: the PostgreSQL schema `authority`. */
export interface AuthoritySchema {
  'authority.consent_event': ConsentEventTable;
  'authority.consent': ConsentTable;
  'authority.consent_export': ConsentExportTable;
  'authority.application': ApplicationTable;
  'authority.application_event': ApplicationEventTable;
  'authority.subject_cutoff': SubjectCutoffTable;
  'authority.change_head': ChangeHeadTable;
  'authority.change_event': ChangeEventTable;
  'authority.stream': StreamTable;
  'authority.stream_ack': StreamAckTable;
  'authority.stream_verification': StreamVerificationTable;
  'authority.signing_key': SigningKeyTable;
  'authority.token_status': TokenStatusTable;
  'authority.ended_session': EndedSessionTable;
  'authority.suspension': SuspensionTable;
  'authority.account': AccountTable;
  'authority.sealed_secret': SealedSecretTable;
  'authority.oidc_payload': OidcPayloadTable;
}

export type AuthorityDatabase = Kysely<AuthoritySchema>;
