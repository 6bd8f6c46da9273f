import { DENIAL_CODE, isRecord } from '@behalf/directives/internal';
import { GraphQLError } from 'graphql';
import { withoutStack } from '../client-error.js';
import type { GatewayErrorCode } from '../errors.js';
import type { SubgraphFetch } from './fetch.js';
import { DEFAULT_PASSED_CODES } from './options.js';
import type { SubgraphErrorOptions } from './options.js';

/** Errors read from one response; the others are counted. */
const MAX_ERRORS_READ = 1_000;
const MAX_STEPS = 100;
const MAX_MESSAGE_LENGTH = 500;
/** A name with few digits: a code with more could carry a value, and codes reach the client and the log. */
const PLAIN_CODE = /^(?!(?:\D*\d){5})[A-Z][A-Z0-9_]{0,63}$/;
/** `Type`, `Type.field` or `Type.field(argument:)` (GraphQL section 3.14, Schema Coordinates). */
const COORDINATE = /^([_A-Za-z]\w{0,127})(?:\.([_A-Za-z]\w{0,127})(?:\(([_A-Za-z]\w{0,127}):\))?)?$/;

const MALFORMED = 'SUBREQUEST_MALFORMED_RESPONSE' satisfies GatewayErrorCode;

/** A step of a reported path that exists in the sent operation. */
export interface ReportedStep {
  /** Response key, or index in a list. */
  readonly key: string | number;
  /** The schema's names of the field; undefined for an index. */
  readonly names: readonly string[] | undefined;
}

/** The coordinate that a denial names, taken apart. */
export interface DeniedCoordinate {
  readonly type: string;
  readonly field: string | undefined;
  readonly argument: string | undefined;
}

interface Details {
  readonly code: string;
  /** The subgraph gave no readable response. */
  readonly isFailure: boolean;
  /** It was not reported: it stands for positions without another error of the fetch. */
  readonly isForTheRest?: boolean;
  /** The entity's index among the requested ones; undefined if unknown, and for a fetch at the root. */
  readonly entity?: number | undefined;
  /** From the entity, or from the root of the sent operation; undefined if no position is given. */
  readonly steps?: readonly ReportedStep[] | undefined;
  /** Whether the steps are the whole reported path. */
  readonly isWholePath: boolean;
  /** Bounded; only if its code is listed and it comes from a fetch at the root. */
  readonly passable?: string | undefined;
  /** Bounded; only with `allowInsecureLogMessages`. */
  readonly logMessage?: string | undefined;
  /** Only for a denial. */
  readonly denied?: DeniedCoordinate | undefined;
}

interface Shown {
  readonly message: string;
  readonly extensions: Readonly<Record<string, unknown>>;
  readonly path?: readonly (string | number)[] | undefined;
}

/**
 * A subgraph error on its way through @apollo/gateway. It is redacted on arrival, so that nothing on the way (joining, spans,
 * metrics) sees the subgraph's text; its details later determine its position in the response.
 */
export class SubgraphError extends GraphQLError {
  /** Further errors of the same response that were not read. */
  further = 0;

  constructor(
    readonly fetch: SubgraphFetch,
    readonly details: Details,
    shown: Shown,
  ) {
    super(shown.message, { extensions: { ...shown.extensions }, path: shown.path });
    withoutStack(this);
  }
}

/** The subgraph error behind one of @apollo/gateway's, which wraps reported ones. */
export function subgraphErrorOf(error: unknown): SubgraphError | undefined {
  if (error instanceof SubgraphError) return error;
  const original = error instanceof GraphQLError ? error.originalError : undefined;
  return original instanceof SubgraphError ? original : undefined;
}

export function failureMessage(subgraph: string): string {
  return `Subgraph "${subgraph}" did not answer`;
}

export function errorMessage(subgraph: string): string {
  return `Subgraph "${subgraph}" reported an error`;
}

/** For a whole fetch. */
export function fetchFailure(
  fetch: SubgraphFetch,
  code: Extract<GatewayErrorCode, 'SUBREQUEST_HTTP_ERROR' | 'SUBREQUEST_MALFORMED_RESPONSE'>,
): SubgraphError {
  const { subgraph } = fetch;
  return new SubgraphError(
    fetch,
    { code, isFailure: true, isWholePath: false },
    { message: failureMessage(subgraph), extensions: { code, service: subgraph } },
  );
}

/** For a position whose value cannot be used, or is missing. */
export function unusableAt(
  fetch: SubgraphFetch,
  position: { readonly entity: number | undefined; readonly steps: readonly ReportedStep[] },
): SubgraphError {
  const details = { code: MALFORMED, isFailure: false, ...position, isWholePath: true };
  return new SubgraphError(fetch, details, {
    message: errorMessage(fetch.subgraph),
    extensions: { code: MALFORMED },
    path: executorPath(details),
  });
}

/** For the other ones: wherever a null of the fetch has no error. */
export function unusableElsewhere(fetch: SubgraphFetch): SubgraphError {
  return new SubgraphError(
    fetch,
    { code: MALFORMED, isFailure: false, isWholePath: false, isForTheRest: true },
    { message: errorMessage(fetch.subgraph), extensions: { code: MALFORMED } },
  );
}

/**
 * Reads the errors of a response.
 *
 * @param isShadow passes them on unchanged, without stacks: in shadow mode the client's response is the one without Behalf
 */
export function readErrors(
  reported: readonly unknown[],
  fetch: SubgraphFetch,
  options: SubgraphErrorOptions,
  isShadow: boolean,
): SubgraphError[] {
  const read = reported.slice(0, MAX_ERRORS_READ).map((each) => readError(each, fetch, options, isShadow));
  const last = read.at(-1);
  if (last !== undefined) last.further = reported.length - read.length;
  return read;
}

function readError(
  reported: unknown,
  fetch: SubgraphFetch,
  options: SubgraphErrorOptions,
  isShadow: boolean,
): SubgraphError {
  const { message, path, extensions } = isRecord(reported) ? reported : {};
  const { code: given, coordinate } = isRecord(extensions) ? extensions : {};
  const code =
    typeof given === 'string' && PLAIN_CODE.test(given)
      ? given
      : ('DOWNSTREAM_SERVICE_ERROR' satisfies GatewayErrorCode);
  const { sent, subgraph } = fetch;
  const position = readPath(path, fetch);
  const passes =
    !sent.isForEntities &&
    position.isWholePath &&
    (options.passMessagesOf ?? DEFAULT_PASSED_CODES).includes(code);
  const details: Details = {
    code,
    isFailure: false,
    ...position,
    passable: passes ? boundedText(message) : undefined,
    // eslint-disable-next-line @typescript-eslint/no-deprecated -- deprecated so that whoever sets it notices; here it is read
    logMessage: options.allowInsecureLogMessages === true ? boundedText(message) : undefined,
    denied: code === DENIAL_CODE ? readCoordinate(coordinate) : undefined,
  };
  const keys = executorPath(position);
  return new SubgraphError(
    fetch,
    details,
    isShadow
      ? { message: String(message), extensions: withoutStacks(extensions), path: pathAsReported(path) }
      : { message: errorMessage(subgraph), extensions: { code }, path: keys },
  );
}

function readCoordinate(coordinate: unknown): DeniedCoordinate | undefined {
  const [, type, field, argument] =
    (typeof coordinate === 'string' ? COORDINATE.exec(coordinate) : null) ?? [];
  return type === undefined ? undefined : { type, field, argument };
}

interface ReportedPosition {
  readonly entity?: number | undefined;
  readonly steps?: readonly ReportedStep[] | undefined;
  readonly isWholePath: boolean;
}

const NO_POSITION: ReportedPosition = Object.freeze({ isWholePath: false });

/** Reads a path as far as it follows the sent operation. */
function readPath(path: unknown, { sent, entities }: SubgraphFetch): ReportedPosition {
  if (!Array.isArray(path)) return NO_POSITION;
  const given = path.slice(0, MAX_STEPS) as unknown[];
  let entity: number | undefined;
  if (sent.isForEntities) {
    const [, index] = given.splice(0, 2);
    if (!isIndex(index) || index >= entities) return NO_POSITION;
    entity = index;
  }
  const steps: ReportedStep[] = [];
  let sets = sent.roots;
  for (const step of given) {
    if (typeof step === 'string') {
      const field = sent.fieldsOf(sets).get(step);
      if (field === undefined) break;
      steps.push({ key: step, names: field.names });
      ({ sets } = field);
    } else if (isIndex(step) && steps.length > 0) steps.push({ key: step, names: undefined });
    else break;
  }
  if (entity === undefined && steps.length === 0) return NO_POSITION;
  // Where its rest leads is unknown, so the error does not concern the position where it leaves.
  return { entity, steps, isWholePath: steps.length === given.length && path.length <= MAX_STEPS };
}

/** @apollo/gateway turns the first two steps of a path below entities into the entity's position. */
function executorPath({ entity, steps }: ReportedPosition): readonly (string | number)[] | undefined {
  if (steps === undefined) return undefined;
  return [...(entity === undefined ? [] : ['_entities', entity]), ...steps.map(({ key }) => key)];
}

function pathAsReported(path: unknown): readonly (string | number)[] | undefined {
  if (!Array.isArray(path) || path.length > MAX_STEPS) return undefined;
  const steps: readonly unknown[] = path;
  return steps.every(isStep) ? steps : undefined;
}

function isStep(value: unknown): value is string | number {
  return typeof value === 'string' || isIndex(value);
}

function isIndex(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function boundedText(message: unknown): string | undefined {
  if (typeof message !== 'string') return undefined;
  return message.length <= MAX_MESSAGE_LENGTH ? message : `${message.slice(0, MAX_MESSAGE_LENGTH)}…`;
}

function withoutStacks(extensions: unknown): Readonly<Record<string, unknown>> {
  if (!isRecord(extensions)) return {};
  const { stacktrace: _stacktrace, exception: _exception, ...others } = extensions;
  return others;
}
