import { readFile } from 'node:fs/promises';
import { projectPath } from '@behalf/example/internal';
import { cell, MADE_BY, table } from './markdown.js';

/** The part of JSON Schema that the configuration's schema uses. */
interface Schema {
  readonly $ref?: string;
  readonly description?: string;
  readonly deprecated?: boolean;
  readonly type?: string;
  readonly format?: string;
  readonly enum?: readonly string[];
  readonly default?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: boolean | Schema;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly if?: Schema;
  readonly then?: Schema;
  readonly else?: Schema;
  readonly definitions?: Readonly<Record<string, Schema>>;
}

/** The gateway's configuration as Markdown, generated from its JSON Schema alone. */
export async function configurationReference(): Promise<string> {
  const text = await readFile(projectPath('gateway/options/schema.json'), 'utf8');
  const schema = JSON.parse(text) as Schema;
  const lines = [
    '# Configuration of the gateway',
    '',
    'This page is for operators of a gateway. It lists every key of the file that `behalf gateway --config FILE` reads, in YAML',
    'or JSON. `${NAME}` in a value is replaced by the environment variable; it can be the whole value of a number or a boolean.',
    'Any other key stops the start. The options of `protectGateway` are checked by the same schema, which the package publishes as `@behalf/gateway/schema.json`. For an editor, begin the file with `# yaml-language-server: $schema=./node_modules/@behalf/gateway/dist/options/schema.json`.',
    MADE_BY,
  ];
  for (const [key, property] of Object.entries(schema.properties ?? {})) {
    const isRequired = schema.required?.includes(key) === true;
    const nested = rows(property, key);
    lines.push('', `## ${key}`, '', property.description ?? '', '');
    if (nested.length === 0)
      lines.push(`${typeText(property)}; ${defaultText(property, isRequired) || 'no default'}`);
    else lines.push(...table(['key', 'type', 'default', 'means'], nested));
  }
  lines.push('', '## Shared types');
  for (const [name, definition] of Object.entries(schema.definitions ?? {})) {
    lines.push('', `### ${name}`, '', definition.description ?? '', '');
    const nested = rows(definition, '');
    if (nested.length === 0) lines.push(typeText(definition));
    else lines.push(...table(['key', 'type', 'default', 'means'], nested));
  }
  return `${lines.join('\n')}\n`;
}

/** One per key below this one, in schema order. */
function rows(schema: Schema, path: string): string[][] {
  const holder = schema.items ?? schema;
  const prefix = path === '' ? '' : `${path}${schema.items === undefined ? '' : '[]'}.`;
  return Object.entries(holder.properties ?? {}).flatMap(([key, property]) => {
    const isRequired = holder.required?.includes(key) === true;
    const meaning = `${property.deprecated === true ? '**Deprecated.** ' : ''}${property.description ?? ''}`;
    return [
      [`\`${prefix}${key}\``, typeText(property), defaultText(property, isRequired), cell(meaning)],
      ...rows(property, `${prefix}${key}`),
    ];
  });
}

function defaultText(schema: Schema, isRequired: boolean): string {
  if (isRequired) return 'required';
  return schema.default === undefined ? '' : `\`${JSON.stringify(schema.default)}\``;
}

function typeText(schema: Schema): string {
  const { $ref, type, format, items, additionalProperties } = schema;
  if ($ref !== undefined) {
    const name = $ref.replace('#/definitions/', '');
    return `[${name}](#${name.toLowerCase()})`;
  }
  if (schema.enum !== undefined) return schema.enum.map((value) => `\`${value}\``).join(', ');
  if (schema.anyOf !== undefined) return schema.anyOf.map(typeText).join(' or ');
  if (schema.then !== undefined && schema.else !== undefined)
    return `${typeText(schema.else)} or ${typeText(schema.then)}`;
  if (items !== undefined)
    return items.properties === undefined ? `list of ${typeText(items)}` : 'list of objects';
  if (typeof additionalProperties === 'object') return `object: any name → ${typeText(additionalProperties)}`;
  if (type === 'integer') return `integer${boundsText(schema)}`;
  return format === undefined ? String(type) : `string (${format})`;
}

function boundsText({ minimum, maximum }: Schema): string {
  if (minimum === undefined) return '';
  return maximum === undefined ? `, at least ${minimum}` : ` ${minimum}–${maximum}`;
}
