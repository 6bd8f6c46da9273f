import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { composeSupergraph } from '../../gateway/compose/compose.js';
import { type Finding, lint } from '../../gateway/inspect/lint/index.js';
import { checkPolicy, checkTranslation } from '../../policy/index.js';
import { behalf } from './support.js';

const SUPERGRAPH = composeSupergraph([
  {
    name: 'one',
    url: 'http://one',
    sdl: `
      extend schema
        @link(url: "https://specs.apollo.dev/federation/v2.9")
        @link(url: "https://specs.behalf.dev/behalf/v0.1", import: ["@requiresScope", "@personalData"])
      type Query { me: Customer @requiresScope(scope: "a") }
      type Customer @requiresScope(scope: "a") {
        email: String @personalData(category: "contact")
        phone: String @personalData(category: "contact")
        number: Int
      }`,
  },
]);

const POLICY = {
  scopes: { a: { sentence: 'See it', access: 'read', sensitivity: 'low' } },
  purposes: { budgeting: { sentence: 'To plan' } },
};

const GERMAN = {
  language: 'de',
  scopes: { a: 'Es sehen' },
  purposes: { budgeting: 'Um zu planen' },
  fields: { 'Customer.email': 'Deine E-Mail-Adresse', 'Customer.phone': 'Deine Telefonnummer' },
};

const files = (...translations: object[]) =>
  translations.map((each, index) => ({ file: `${index}.yaml`, translation: checkTranslation(each) }));

function run(...translations: object[]): string[] {
  const findings = lint({
    subgraphs: [],
    supergraph: SUPERGRAPH,
    policy: checkPolicy(POLICY),
    translations: files(...translations),
    today: '2026-11-24',
  });
  return findings
    .filter(({ code }) => code.startsWith('TRANSLATION'))
    .map(({ code, coordinate = '-', file, message, severity }) =>
      [severity, file, code, coordinate, message].join(' '),
    );
}

describe('a translation of the policy', () => {
  it('that has everything is without findings', () => {
    expect(run(GERMAN)).toEqual([]);
  });

  it('is reported with each sentence that is missing or superfluous', () => {
    expect(run({ ...GERMAN, purposes: { budgetting: 'x', other: 'x' } })).toEqual([
      'error 0.yaml TRANSLATION_MISSING - purposes.budgeting is not translated',
      'error 0.yaml TRANSLATION_UNKNOWN - the policy has no purposes.budgetting; did you mean purposes.budgeting?',
      'error 0.yaml TRANSLATION_UNKNOWN - the policy has no purposes.other',
    ]);
  });

  it('need not describe fields; those with personal data are noted', () => {
    const fields = { 'Customer.emal': 'x', 'Customer.number': 'x', 'Query.__typename': 'x' };
    expect(run({ ...GERMAN, fields })).toEqual([
      'warning 0.yaml TRANSLATION_FIELD_UNKNOWN - the schema has no field Customer.emal; did you mean Customer.email?',
      'warning 0.yaml TRANSLATION_FIELD_UNKNOWN - the schema has no field Query.__typename',
      'info 0.yaml TRANSLATION_FIELD_MISSING Customer.email people are told about the field, and there is no description in "de"',
      'info 0.yaml TRANSLATION_FIELD_MISSING Customer.phone people are told about the field, and there is no description in "de"',
    ]);
  });

  it('is reported if its language is that of another', () => {
    expect(run(GERMAN, { ...GERMAN, language: 'de-AT' }, GERMAN, { ...GERMAN, language: 'en' })).toEqual([
      'error 2.yaml TRANSLATION_REPEATED - "de" is the language of the policy, or of another translation, as well',
      'error 3.yaml TRANSLATION_REPEATED - "en" is the language of the policy, or of another translation, as well',
    ]);
  });

  it('is compared with the policy even if the subgraphs do not compose', () => {
    const findings = lint({
      subgraphs: [],
      supergraph: { failures: ['it does not'] },
      policy: checkPolicy(POLICY),
      translations: files({ ...GERMAN, purposes: {}, fields: {} }),
      today: '2026-11-24',
    });
    expect(findings.map(({ code }) => code)).toEqual(['COMPOSITION_FAILED', 'TRANSLATION_MISSING']);
  });
});

describe('the command', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'behalf-lint-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('finds nothing in the example that has to be mended', async () => {
    const args = ['lint', '--policy', 'policy.yaml', '--translation', 'policy.de.yaml', '--format', 'json'];
    const { code, stdout } = await behalf(args);
    const { findings } = JSON.parse(stdout) as { findings: Finding[] };
    expect(findings.filter(({ severity }) => severity !== 'info')).toEqual([]);
    expect(code).toBe(0);
  });

  it('reports each translation that it is given', async () => {
    const write = async (name: string, content: object | string): Promise<string> => {
      const file = join(folder, name);
      await writeFile(file, typeof content === 'string' ? content : JSON.stringify(content));
      return file;
    };
    const supergraph = await write('supergraph.graphql', SUPERGRAPH);
    const policy = await write('policy.yaml', POLICY);
    const german = await write('policy.de.yaml', { ...GERMAN, purposes: {} });
    const french = await write('policy.fr.yaml', { ...GERMAN, language: 'fr', scopes: {} });
    const args = ['lint', '--supergraph', supergraph, '--policy', policy, '--translation', german, french];
    const result = await behalf(args);
    expect(result.code).toBe(1);
    expect(result.stdout).toContain(`${german}\n  error        TRANSLATION_MISSING`);
    expect(result.stdout).toContain('scopes.a is not translated');
    const unreadable = await write('policy.nl.yaml', 'language: [');
    expect(await behalf(['lint', '--policy', policy, '--translation', unreadable])).toMatchObject({
      code: 2,
    });
  });

  it('needs the policy as well', async () => {
    const result = await behalf(['lint', '--translation', 'policy.de.yaml']);
    expect(result.code).toBe(2);
    expect(result.stderr).toContain('give --policy as well');
  });
});
