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
