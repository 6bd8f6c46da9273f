import { readFile } from 'node:fs/promises';
import { projectPath } from '@behalf/example/internal';
import { cell, MADE_BY, table } from './markdown.js';

interface Schema {
  readonly $id?: string;
  readonly $ref?: string;
  readonly $comment?: string;
  readonly title?: string;
  readonly description?: string;
  readonly type?: string | readonly string[];
  readonly format?: string;
  readonly const?: unknown;
  readonly enum?: readonly string[];
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly prefixItems?: readonly Schema[];
  readonly anyOf?: readonly Schema[];
  readonly $defs?: Readonly<Record<string, Schema>>;
  readonly examples?: readonly unknown[];
}

const SCHEMAS = [
  'directives/schemas/consent.schema.json',
  'directives/schemas/txn-token.schema.json',
  'directives/schemas/facts.schema.json',
  'audit/schemas/audit-record.schema.json',
  'audit/schemas/audit-event.schema.json',
];

/** The claims between the parts, as Markdown, generated from the published JSON Schemas alone. */
export async function claimsReference(): Promise<string> {
  const lines = [
    '# Claims, facts and records',
    '',
    'This page is for authors of programs that read the data which the parts exchange, or the stored record. Each has a JSON',
    'Schema (2020-12), published with its package: `@behalf/directives/schemas/…` and `@behalf/audit/schemas/…`. Tests compare',
    'the schemas with the data that a running system writes, and with the code that reads it.',
    MADE_BY,
  ];
  for (const file of SCHEMAS) {
    const schema = JSON.parse(await readFile(projectPath(file), 'utf8')) as Schema;
    lines.push(
      '',
      ...section(schema, '##'),
      '',
      `Schema: [\`${schema.$id ?? ''}\`](../../${file}). ${schema.$comment ?? ''}`,
    );
    for (const part of Object.values(schema.$defs ?? {})) {
      if (part.title !== undefined) lines.push('', ...section(part, '###'));
    }
  }
  return `${lines.join('\n')}\n`;
}

function section(schema: Schema, heading: string): string[] {
  const [example] = schema.examples ?? [];
  return [
    `${heading} ${schema.title ?? ''}`,
    '',
    schema.description ?? '',
    '',
    ...(schema.prefixItems === undefined
      ? table(['member', 'type', 'required', 'means'], rows(schema, ''))
      : table(['item', 'type', 'means'], schema.prefixItems.map(itemRow))),
    ...(example === undefined ? [] : ['', '```json', JSON.stringify(example, null, 2), '```']),
  ];
}

function rows(schema: Schema, prefix: string): string[][] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, member]) => [
    [
      `\`${prefix}${name}\``,
      typeText(member),
      schema.required?.includes(name) === true ? 'yes' : '',
      cell(member.description ?? ''),
    ],
    ...rows(member, `${prefix}${name}.`),
  ]);
}

function itemRow(item: Schema): string[] {
  return [item.title ?? '', typeText(item), cell(item.description ?? '')];
}

function typeText({ $ref, type, format, items, anyOf, ...schema }: Schema): string {
  if (schema.const !== undefined) return `\`${JSON.stringify(schema.const)}\``;
  if (schema.enum !== undefined) return schema.enum.map((value) => `\`${value}\``).join(', ');
  if ($ref !== undefined) return $ref.replace(/^.*\//, '').replace('.schema.json', ' claim');
  if (anyOf !== undefined) return anyOf.map(typeText).join(' or ');
  if (items !== undefined) return `list of ${typeText(items)}`;
  const name = Array.isArray(type) ? type.join(' or ') : String(type);
  return format === undefined ? name : `${name} (${format})`;
}
