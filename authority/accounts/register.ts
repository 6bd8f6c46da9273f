import { hash, verify } from '@node-rs/argon2';

import type { AuthorityDatabase } from '../schema.js';
import { isSubject } from './subjects.js';
import { normalizeUsername } from './username.js';

/** A person who can sign in. */
export interface Account {
  /** The `sub` of their tokens. */
  readonly subject: string;
  readonly username: string;
  readonly displayName: string;
  /** Rights beyond the person's own data, such as `administrator`. */
  readonly roles: readonly string[];
  /** Facts established about the person, such as `kyc_verified`. */
  readonly policies: readonly string[];
}

/** @see AccountRegister.authenticate */
export interface Authentication {
  /** Undefined if the password is wrong, or the username unknown. */
  readonly account: Account | undefined;
  /** Whose username it is, even if the password is wrong. */
  readonly claimed: string | undefined;
}

/** A new account with its password. */
export interface NewAccount extends Account {
  readonly password: string;
}

// Argon2id (the library's default) with OWASP's minimum: 19 MiB, 2 passes. RFC 9106 recommends more memory, which is too much per
// attempt for a page that anybody can reach.
const ARGON2ID = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };

const MAX_PASSWORD_LENGTH = 256;

/** The people who can sign in, with their passwords' hashes. */
export class AccountRegister {
  readonly #db: AuthorityDatabase;
  readonly #demo: boolean;
  #nobody: Promise<string> | undefined;

  /** @param options.demo whether accounts with public passwords can sign in */
  constructor(db: AuthorityDatabase, options: { demo: boolean }) {
    this.#db = db;
    this.#demo = options.demo;
  }

  async find(subject: string): Promise<Account | undefined> {
    const row = await this.#all().where('subject', '=', subject).executeTakeFirst();
    return row === undefined ? undefined : toAccount(row);
  }

  /** Whether any account has this subject, including accounts that cannot sign in at present. */
  async isSubject(id: string): Promise<boolean> {
    return isSubject(this.#db, id);
  }

  /** Checks a password. An unknown username takes as long as a wrong password. */
  async authenticate(username: string, password: string): Promise<Authentication> {
    // Computed before it is known to be needed; otherwise the first unknown name would take longer.
    const nobody = await this.#hashOfNobody();
    const name = normalizeUsername(username);
    // PostgreSQL's text cannot hold a NUL character, so no username contains one.
    const row = name.includes('\0')
      ? undefined
      : await this.#all().where('username', '=', name).executeTakeFirst();
    const stored = row?.password_hash ?? nobody;
    const right = await verify(stored, password.slice(0, MAX_PASSWORD_LENGTH));
    const isRight = right && password.length <= MAX_PASSWORD_LENGTH;
    return { account: row === undefined || !isRight ? undefined : toAccount(row), claimed: row?.subject };
  }

  /** Adds accounts whose passwords are public. Existing accounts stay as they are. */
  async addDemoAccounts(accounts: readonly NewAccount[]): Promise<void> {
    for (const account of accounts) {
      if ((await this.find(account.subject)) !== undefined) continue;
      const row = {
        subject: account.subject,
        username: normalizeUsername(account.username),
        display_name: account.displayName,
        password_hash: await hash(account.password, ARGON2ID),
        roles: [...account.roles],
        policies: [...account.policies],
        demo: true,
      };
      await this.#db
        .insertInto('authority.account')
        .values(row)
        .onConflict((conflict) => conflict.doNothing())
        .execute();
    }
  }

  async #hashOfNobody(): Promise<string> {
    this.#nobody ??= hash('nobody has this password', ARGON2ID);
    return this.#nobody;
  }

  #all() {
    const all = this.#db.selectFrom('authority.account').selectAll();
    return this.#demo ? all : all.where('demo', '=', false);
  }
}

function toAccount(row: {
  subject: string;
  username: string;
  display_name: string;
  roles: string[];
  policies: string[];
}): Account {
  const { subject, username, roles, policies } = row;
  return { subject, username, displayName: row.display_name, roles, policies };
}
