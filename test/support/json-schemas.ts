import { readFile } from 'node:fs/promises';
import { Ajv2020 } from 'ajv/dist/2020.js';
import type { AnySchemaObject, ValidateFunction } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import { projectPath } from '@behalf/example/internal';

/** Path of each published schema. */
export const SCHEMA_FILES = Object.freeze({
  consent: 'directives/schemas/consent.schema.json',
  'txn-token': 'directives/schemas/txn-token.schema.json',
  facts: 'directives/schemas/facts.schema.json',
  'audit-record': 'audit/schemas/audit-record.schema.json',
  'audit-event': 'audit/schemas/audit-event.schema.json',
});
export type SchemaName = keyof typeof SCHEMA_FILES;

export const SCHEMA_NAMES = Object.keys(SCHEMA_FILES) as readonly SchemaName[];

// ajv-formats is CommonJS, but its types say otherwise.
const addFormats = formats as unknown as (ajv: Ajv2020) => void;

export async function readSchema(name: SchemaName): Promise<AnySchemaObject> {
  return JSON.parse(await readFile(projectPath(SCHEMA_FILES[name]), 'utf8')) as AnySchemaObject;
}

/** Validators of the published schemas, by name, or by name and `$defs` (`txn-token#act`). */
export async function compileSchemas(): Promise<(reference: string) => ValidateFunction> {
  // Entries of the facts may have further items.
  const ajv = new Ajv2020({ strict: true, strictTuples: false, allErrors: true });
  addFormats(ajv);
  const schemas = await Promise.all(SCHEMA_NAMES.map(readSchema));
  for (const schema of schemas) ajv.addSchema(schema);
  return (reference) => {
    const [name = '', part] = reference.split('#');
    const id = `https://specs.behalf.dev/schemas/v0.1/${name}.schema.json`;
    const validate = ajv.getSchema(part === undefined ? id : `${id}#/$defs/${part}`);
    if (validate === undefined) throw new Error(`no schema ${reference}`);
    return validate;
  };
}
