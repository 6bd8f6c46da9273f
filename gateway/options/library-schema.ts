import schema from './schema.json' with { type: 'json' };

/** A part of a JSON Schema, as far as keys are concerned. */
interface Keys {
  properties?: Record<string, Keys>;
  items?: Keys;
  required?: string[];
}

/**
 * The schema of the library's options: the configuration file's, without the keys of files only, and with those that no file can
 * hold. Their values were taken out before, so the schema only knows their names, for what it says of an unknown one.
 *
 * @param filesOnly paths of keys, such as `issuers[].introspection.privateKeyFile`
 */
export function librarySchema(filesOnly: readonly string[], libraryOnly: readonly string[]): object {
  const library = structuredClone(schema) as Keys;
  for (const path of filesOnly) {
    const { parent, key } = placeOf(library, path);
    if (parent?.properties === undefined) continue;
    const { [key]: _removed, ...properties } = parent.properties;
    parent.properties = properties;
    if (parent.required !== undefined) parent.required = parent.required.filter((name) => name !== key);
  }
  for (const path of libraryOnly) {
    const { parent, key } = placeOf(library, path);
    if (parent?.properties !== undefined) parent.properties[key] ??= {};
  }
  return library;
}

function placeOf(root: Keys, path: string): { readonly parent: Keys | undefined; readonly key: string } {
  const steps = path.split('.');
  const key = steps.pop() ?? '';
  let parent: Keys | undefined = root;
  for (const step of steps) {
    const property: Keys | undefined = parent?.properties?.[step.replace('[]', '')];
    parent = step.endsWith('[]') ? property?.items : property;
  }
  return { parent, key };
}
