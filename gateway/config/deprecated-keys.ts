interface Schema {
  readonly description?: string;
  readonly deprecated?: boolean;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
}

export interface DeprecatedKey {
  /** `issuers[0].jwksUri`. */
  readonly key: string;
  /** The schema's text, which names the replacement. */
  readonly advice: string;
}

/**
 * The keys of a configuration that its schema deprecates, in the configuration's order. They still have their meaning; see
 * docs/reference/deprecation.md.
 */
export function deprecatedKeys(schema: object, config: unknown, path = ''): DeprecatedKey[] {
  const { items, properties = {} } = schema as Schema;
  if (Array.isArray(config)) {
    if (items === undefined) return [];
    return config.flatMap((entry: unknown, index) => deprecatedKeys(items, entry, `${path}[${index}]`));
  }
  if (typeof config !== 'object' || config === null) return [];
  return Object.entries(config).flatMap(([name, value]) => {
    const property = Object.hasOwn(properties, name) ? properties[name] : undefined;
    if (property === undefined) return [];
    const key = path === '' ? name : `${path}.${name}`;
    const own = property.deprecated === true ? [{ key, advice: property.description ?? '' }] : [];
    return [...own, ...deprecatedKeys(property, value, key)];
  });
}
