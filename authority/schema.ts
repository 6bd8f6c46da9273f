import type { ConsentLevels } from '@behalf/directives';
import type { JWK } from 'jose';
import type { ColumnType, Generated, JSONColumnType, Kysely } from 'kysely';

import type { AuditOutboxTable, AuditRecordingTable } from './audit-schema.js';
import type { ChangeMembers } from './change-members.js';
import type { StoredRegistration } from './client-registration.js';
import type { ConsentEventType, DetailLevel, PrivacyNotice } from './consent-values.js';
import type { ForgottenPersonTable } from './forgotten-schema.js';

type Timestamp = ColumnType<Date, Date | string | undefined, Date | string>;

/** Append-only. Columns are named as in ISO/IEC TS 27560 where it defines them. */
export interface ConsentEventTable {
  readonly event_id: Generated<number>;
  /** The consent. */
  readonly record_id: string;
  readonly event_type: ConsentEventType;
  readonly event_time: Timestamp;
  /** The subject. */
  readonly pii_principal_id: string;
  readonly client_id: string;
  /** The acting subject, or a part of the system. */
  readonly entity_id: string;
  readonly scopes: string[];
  readonly purposes: string[];
  readonly detail: DetailLevel;
  /** That the person chose. */
  readonly levels: JSONColumnType<ConsentLevels>;
  readonly valid_until: Timestamp;
  readonly version: number;
  /** The words that the person was shown. */
  readonly privacy_notice: JSONColumnType<PrivacyNotice> | null;
  readonly reason: string | null;
  readonly declined: Generated<string[]>;
  readonly declined_purposes: Generated<string[]>;
  readonly schema_version: Generated<string>;
  /** The version of the policy that limited the offer; null if nothing was offered. */
  readonly policy_version: string | null;
  /** The consent that this one replaced. */
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
  levels: JSONColumnType<ConsentLevels>;
  /** A consent is in force only if it is `active` and `until` is not past. */
  status: 'active' | 'revoked' | 'expired' | 'replaced';
  granted_at: Timestamp;
  until: Timestamp;
  ended_at: Timestamp | null;
  ended_by: string | null;
  ended_reason: string | null;
  /** Codes and refresh tokens issued up to this time yield no new token. */
  tokens_not_before: Timestamp | null;
}

/** Append-only: exports of a person's consents by staff. */
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

/** The last sequence number. The lock on its single row orders the writers. */
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
  /** The subject, or the part of the system, that requested it. */
  readonly entity_id: string | null;
  readonly occurred_at: Timestamp;
}

/** One SSF stream: a receiver's place in the log. */
export interface StreamTable {
  id: string;
  /** The receiver's name in the options. No other receiver sees the stream. */
  receiver: Generated<string>;
  /** The digest of its own secret, see ssf/receivers.ts. Null: nobody has access. */
  secret_digest: Buffer | null;
  events: string[];
  events_requested: Generated<string[]>;
  status: Generated<'enabled' | 'paused' | 'disabled'>;
  status_reason: string | null;
  /** It was stopped or narrowed, so it may lack events. */
  has_gap: Generated<boolean>;
  /** The endpoint of RFC 8935; without one, the receiver polls. */
  push_endpoint: string | null;
  /** The receiver's `authorization_header`, encrypted. */
  push_nonce: Buffer | null;
  push_ciphertext: Buffer | null;
  /** In a row. */
  push_failures: Generated<number>;
  push_not_before: Timestamp;
  /** The pushing round that holds the lease, and its end. */
  push_lease: string | null;
  push_lease_until: Timestamp;
  verified_at: Timestamp | null;
  /** All events up to this number are delivered. */
  delivered_seq: number;
  created_at: Timestamp;
  polled_at: Timestamp;
  /** The receiver's name for itself. */
  description: string | null;
  /** A gateway denies everything after this time without contact. Null: the receiver is not a gateway. */
  max_staleness_ms: number | null;
}

/** Sessions that were ended early. */
export interface EndedSessionTable {
  session_id: string;
  ended_at: Timestamp;
}

/** Suspensions, in force or lifted. */
export interface SuspensionTable {
  readonly id: Generated<number>;
  readonly kind: 'client' | 'scope' | 'everything';
  /** A client's identifier, a scope's name, or empty. */
  readonly target: string;
  readonly since: Timestamp;
  readonly suspended_by: string;
  readonly reason: string;
  /** When the change log last announced it. */
  announced_at: Timestamp;
  ended_at: Timestamp | null;
  ended_by: string | null;
  ended_reason: string | null;
}

/** Acknowledged events beyond `delivered_seq`. */
export interface StreamAckTable {
  stream_id: string;
  seq: number;
}

/** A requested verification event (SSF 1.0, section 8.1.4) that is not delivered yet. */
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
  /** The encrypted private half; null once the key is revoked. */
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
  /** `jti` of every token that it was exchanged from. */
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
  /** Its password is public, so it is ignored without `demoAccounts`. */
  demo: boolean;
}

/** Keys and secrets, encrypted. */
export interface SealedSecretTable {
  name: string;
  nonce: Buffer;
  ciphertext: Buffer;
  created_at: Timestamp;
}

/** oidc-provider's stored models. */
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

/** The policy that the authority last started with, or reloaded. */
export interface RunningPolicyTable {
  version: string;
  /** Empty: the policy sets no client a ceiling. */
  clients: string[];
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
  'authority.running_policy': RunningPolicyTable;
  'authority.sealed_secret': SealedSecretTable;
  'authority.oidc_payload': OidcPayloadTable;
  'authority.audit_outbox': AuditOutboxTable;
  'authority.audit_recording': AuditRecordingTable;
  'authority.forgotten_person': ForgottenPersonTable;
}

/** A database with the authority's tables: `openDatabase<AuthoritySchema>(url)`, migrated with {@link migrateAuthority}. */
export type AuthorityDatabase = Kysely<AuthoritySchema>;
