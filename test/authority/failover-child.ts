import { ConsentRegister } from '@behalf/authority/consent';
import { startAuthority } from '@behalf/authority';
import type { AuthoritySchema, ConsentTerms, RevocationOptions } from '@behalf/authority/consent';
import { checkPolicy } from '@behalf/policy';
import { openDatabase } from '@behalf/store';

/** One change of a consent, for the register. */
export type Change =
  | { readonly kind: 'grant'; readonly terms: Omit<ConsentTerms, 'until'>; readonly untilMs: number }
  | { readonly kind: 'revoke'; readonly consentId: string; readonly options: RevocationOptions }
  | { readonly kind: 'end-sessions'; readonly subject: string; readonly options: RevocationOptions };

/** The register's answer once the change was durable. */
export interface Answer {
  readonly consentId?: string | undefined;
  readonly jti?: string | undefined;
}

export type ToChild = { readonly number: number; readonly change: Change };
export type FromChild =
  | { readonly listening: string }
  | { readonly number: number; readonly answer: Answer }
  | { readonly number: number; readonly failed: string };

// One instance of the authority with its server, and its register for the parent process. Exits with the parent.
const { CHILD_ISSUER = '', CHILD_DATABASE = '', CHILD_OPTIONS = '{}' } = process.env;
const { audience, encryptionKey, policy, scopes, streamSecret } = JSON.parse(CHILD_OPTIONS) as {
  audience: string;
  encryptionKey: string;
  policy: unknown;
  scopes: string[];
  streamSecret: string;
};
const used = ['Query.field'];
const authority = await startAuthority({
  issuer: CHILD_ISSUER,
  port: 0,
  databaseUrl: CHILD_DATABASE,
  encryptionKey: Buffer.from(encryptionKey, 'base64url'),
  audience,
  policy: checkPolicy(policy),
  vocabulary: {
    scopes: new Map(scopes.map((scope) => [scope, used])),
    purposes: new Map(),
    fields: new Map(),
  },
  streamSecret,
});
const register = new ConsentRegister(openDatabase<AuthoritySchema>(CHILD_DATABASE, { max: 4 }));

async function apply(change: Change): Promise<Answer> {
  if (change.kind === 'grant') {
    const { id } = await register.grant({ ...change.terms, until: new Date(change.untilMs) });
    return { consentId: id };
  }
  const { change: position } =
    change.kind === 'revoke'
      ? await register.revokeConsent(change.consentId, change.options)
      : await register.revokeSubjectSessions(change.subject, change.options);
  return { jti: position?.jti };
}

const send = (message: FromChild): void => void process.send?.(message);
process.on('message', ({ number, change }: ToChild) => {
  apply(change).then(
    (answer) => send({ number, answer }),
    (error: unknown) => send({ number, failed: error instanceof Error ? error.message : 'unknown reason' }),
  );
});
process.on('disconnect', () => process.exit());
send({ listening: authority.url });
