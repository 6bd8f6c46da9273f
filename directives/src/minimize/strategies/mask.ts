import { DirectiveError } from '../../errors.js';
import { oneOf } from '../../option-checks.js';
import { withoutUndefined } from '../../without-undefined.js';
import { HIDDEN, mask as maskText } from '../graphemes.js';
import { isGiven, readCount } from '../parameters.js';
import { byDetail, isText, needsType, ofText } from '../strategy.js';
import type { StrategyComparison, StrategyDefinition } from '../strategy.js';

/** Kinds of text of which `MASK` knows the parts. */
export const MASK_FORMS = Object.freeze(['EMAIL', 'IBAN'] as const);

export type MaskForm = (typeof MASK_FORMS)[number];

/** User-perceived characters, without separators. */
export interface MaskParameters {
  /** How many stay at the beginning. */
  readonly first: number;
  /** How many stay at the end. */
  readonly last: number;
  /** Whether each hidden character is a `*`, and separators stay. Otherwise the result does not tell how long the text is. */
  readonly showLength: boolean;
  readonly form?: MaskForm;
}

const MAX_KEPT = 1_000;
const IBAN = /^([A-Z]{2})\d{2}[A-Z0-9]{8,30}$/;
const IBAN_GROUP = 4;

/** The ends of a text, and `***` for the rest. */
export const mask: StrategyDefinition<MaskParameters> = {
  arguments: { first: 'Int', last: 'Int', showLength: 'Boolean', form: 'behalf__MaskForm' },
  read: (args, coordinate) => {
    const count = (name: string): number =>
      isGiven(args[name]) ? readCount(args[name], name, coordinate, [0, MAX_KEPT]) : 0;
    const parameters: MaskParameters = withoutUndefined({
      first: count('first'),
      last: count('last'),
      showLength: args.showLength === true,
      form: isGiven(args.form) ? readForm(args.form, coordinate) : undefined,
    });
    const { first, form, last, showLength } = parameters;
    if (form !== undefined && showLength) refuse('"showLength" does not go with "form"', coordinate);
    if (form === 'EMAIL' && last > 0)
      refuse('"last" does not go with "form: EMAIL": its domain stays', coordinate);
    if (form === 'IBAN' && first > 0)
      refuse('"first" does not go with "form: IBAN": its country stays', coordinate);
    return parameters;
  },
  compile: (parameters, { coordinate, typeName }) => {
    needsType(isText(typeName), 'MASK', 'String or ID', coordinate);
    const { form } = parameters;
    if (form === 'EMAIL') return ofText((text) => maskEmail(text, parameters));
    if (form === 'IBAN') return ofText((text) => maskIban(text, parameters));
    return ofText((text) => maskText(text, parameters));
  },
  compare: (before, after): StrategyComparison => {
    if (before.form !== after.form) return 'incomparable';
    const details = [
      byDetail(before.first, after.first),
      byDetail(before.last, after.last),
      byDetail(Number(before.showLength), Number(after.showLength)),
    ].filter((each) => each !== 'equal');
    return details.every((each) => each === details[0]) ? (details[0] ?? 'equal') : 'incomparable';
  },
};

function readForm(value: unknown, coordinate: string): MaskForm {
  const problem = oneOf(...MASK_FORMS)(value);
  if (problem !== undefined) refuse(`"form" ${problem}`, coordinate);
  return value as MaskForm;
}

function refuse(problem: string, coordinate: string): never {
  throw new DirectiveError('INVALID_RULE', problem, coordinate);
}

/** `a***@example.com`. What is no address is hidden as a whole. */
function maskEmail(text: string, { first }: MaskParameters): string {
  const at = text.lastIndexOf('@');
  const domain = text.slice(at + 1);
  if (at < 1 || domain === '' || /\s/.test(domain)) return HIDDEN;
  return `${maskText(text.slice(0, at), { first, last: 0, showLength: false })}@${domain}`;
}

/** `AT** **** **** **** 3201`: a country's IBANs are all of one length. What is none is hidden as a whole. */
function maskIban(text: string, { last }: MaskParameters): string {
  const iban = text.replaceAll(/\s/g, '');
  const country = IBAN.exec(iban)?.[1];
  if (country === undefined) return HIDDEN;
  // As of any other text: a long end would be the whole account.
  const kept = Math.min(last, Math.floor((iban.length - country.length) / 3));
  const masked = `${country}${'*'.repeat(iban.length - country.length - kept)}${iban.slice(iban.length - kept)}`;
  return masked.replaceAll(new RegExp(`(.{${IBAN_GROUP}})(?=.)`, 'g'), '$1 ');
}
