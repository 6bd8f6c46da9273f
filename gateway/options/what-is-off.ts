import { OPERATIONS_PATH } from '../http/refuse-http.js';
import type { ProtectedResource } from '../http/resource-metadata.js';
import type { GatewayLog } from '../log.js';
import type { Settings } from './settings.js';

/** Says once, at the start, which protections are off and how to turn them on. */
export function logWhatIsOff(
  { audit, revocation }: Pick<Settings, 'audit' | 'revocation'>,
  log: GatewayLog,
): void {
  if (audit.mode === 'off')
    log.log('warn', 'AUDIT_OFF', {
      meaning: 'no access is put on record',
      turnOn: "audit: { mode: 'required', file: 'audit.jsonl' }, or database in place of file",
    });
  if (revocation === undefined)
    log.log('warn', 'REVOCATION_OFF', {
      meaning: 'a token is valid until it expires, even if its issuer revokes it',
      turnOn: "revocation: { streams: [{ issuer: 'https://login.example', secret: '…' }] }",
    });
}

/**
 * Says once, at the start, which issuers would refuse the resource that the gateway's metadata name (RFC 9728): a client that
 * discovers everything could not get a token. An audience that is not an address is the issuer's own way to name an API, such as an
 * identifier in its console, and no client states it.
 */
export function logOtherAudiences(
  { issuers }: Pick<Settings, 'issuers'>,
  resource: ProtectedResource | undefined,
  log: GatewayLog,
): void {
  if (resource === undefined) return;
  const { resource: described } = resource.metadata(OPERATIONS_PATH);
  for (const { issuer, audience } of issuers) {
    if (audience === described || !/^https?:/.test(audience)) continue;
    log.log('warn', 'AUDIENCE_IS_NOT_RESOURCE', { issuer, audience, resource: described });
  }
}
