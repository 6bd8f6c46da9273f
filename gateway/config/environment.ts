import { ConfigurationError } from '../errors.js';
import { mapPlain, pathPattern } from '../options/plain.js';
import schema from '../options/schema.json' with { type: 'json' };

type Environment = Readonly<Record<string, string | undefined>>;

const VARIABLE = /\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g;
const ONE_VARIABLE = /^\$\{([A-Za-z_][A-Za-z0-9_]*)\}$/;

/** The types of JSON Schema that text in the environment can be, with its spelling in JSON. */
const SPELLINGS = {
  boolean: { words: 'true or false', spelling: /^(?:true|false)$/ },
  integer: { words: 'a whole number', spelling: /^-?(?:0|[1-9]\d*)$/ },
  number: { words: 'a number', spelling: /^-?(?:0|[1-9]\d*)(?:\.\d+)?$/ },
} as const;
type Spelled = keyof typeof SPELLINGS;

/**
 * Fills `${NAME}` from the environment, after parsing, so that a value stays a value. Where the whole value of a number or a boolean
 * is a variable, its text must be exactly that.
 *
 * @throws {ConfigurationError} which names the key and the variable, and not its text
 */
export function fillFromEnvironment(config: unknown, environment: Environment): unknown {
  return mapPlain(config, (value, path) => {
    if (typeof value !== 'string') return value;
    const lookUp = (name: string): string => {
      const found = Object.hasOwn(environment, name) ? environment[name] : undefined;
      if (found === undefined) throw new ConfigurationError(path, `the environment has no ${name}`);
      return found;
    };
    const name = ONE_VARIABLE.exec(value)?.[1];
    const type = name === undefined ? undefined : typeAt(path);
    if (name === undefined || type === undefined)
      return value.replaceAll(VARIABLE, (_text, each: string) => lookUp(each));
    const { words, spelling } = SPELLINGS[type];
    const text = lookUp(name);
    if (!spelling.test(text))
      throw new ConfigurationError(path, `must be ${words}; the environment's ${name} is not`);
    return JSON.parse(text) as unknown;
  });
}

interface Schema {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: boolean | Schema;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
}

/** Undefined for a key that may be text, and for an unknown one. */
function typeAt(path: string): Spelled | undefined {
  const pattern = pathPattern(path);
  return SPELLED_KEYS.find(({ key }) => key.test(pattern))?.type;
}

const SPELLED_KEYS = [...spelledKeys(schema, '')];

function* spelledKeys(
  given: object,
  key: string,
): Generator<{ readonly key: RegExp; readonly type: Spelled }> {
  const part = given as Schema;
  const types = (part.anyOf ?? [part]).map(({ type }) => type);
  const type = types.find((each) => each !== undefined && Object.hasOwn(SPELLINGS, each));
  if (type !== undefined && !types.includes('string'))
    yield { key: new RegExp(`^${key}$`), type: type as Spelled };
  const prefix = key === '' ? '' : `${key}\\.`;
  for (const [name, property] of Object.entries(part.properties ?? {}))
    yield* spelledKeys(property, prefix + name);
  if (part.items !== undefined) yield* spelledKeys(part.items, `${key}\\[\\]`);
  // Members that the file names, such as subgraphs.
  if (typeof part.additionalProperties === 'object')
    yield* spelledKeys(part.additionalProperties, `${prefix}.+`);
}
