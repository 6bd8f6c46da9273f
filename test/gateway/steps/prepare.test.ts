import { parse, print } from 'graphql';
import { describe, expect, it } from 'vitest';
import { prepare } from '../../../gateway/steps/prepare.js';
import { authenticated, operationOf, refusalOf, requestOf } from './support.js';

describe('prepare', () => {
  it('takes the operation as the client sent it', () => {
    const caller = authenticated();
    const request = requestOf('{ me }');
    const stage = prepare(caller, request);
    expect(stage).toMatchObject(caller);
    expect(stage.operation.document).toBe(request.document);
    expect(stage.operation.operation).toBe(request.operation);
    expect(stage.operation.queryHash).toBe('hash of { me }');
  });

  it('takes the operation from the document whose numbers are exact', () => {
    const text = 'fragment F on Query { me } query { ...F paint(long: 9007199254740993) }';
    const { operation } = prepare(authenticated(), requestOf(text)).operation;
    expect(print(operation)).toContain('paint(long: "9007199254740993")');
  });

  it('refuses a Float that no double can be, and says where it is', async () => {
    const text = '{ me\n  paint(rough: -1e400) }';
    const refusal = { code: 'NUMBER_NOT_EXACT', status: 400 };
    expect(await refusalOf(async () => prepare(authenticated(), requestOf(text)))).toMatchObject({
      ...refusal,
      message: 'The operation has a Float at line 2, column 16 that is larger than a double can be',
    });
    // A server may parse without locations.
    const document = parse(text, { noLocation: true });
    const request = { ...requestOf(text), document, operation: document.definitions[0] as never };
    expect(await refusalOf(async () => prepare(authenticated(), request))).toMatchObject({
      ...refusal,
      message: 'The operation has a Float that is larger than a double can be',
    });
  });

  it('looks at the chosen operation only', () => {
    const text = 'query A { me } query B { paint(rough: 1e400) }';
    const { document } = prepare(authenticated(), requestOf(text)).operation;
    expect(print(document)).toBe('query A {\n  me\n}');
  });

  it('never takes a fragment for the operation', () => {
    const request = requestOf('fragment F on Query { me } query { ...F }');
    const elsewhere = operationOf('{ other }').operation;
    expect(prepare(authenticated(), { ...request, operation: elsewhere }).operation.operation).toBe(
      elsewhere,
    );
    const [fragment] = request.document.definitions;
    expect(prepare(authenticated(), { ...request, operation: fragment as never }).operation.operation).toBe(
      fragment,
    );
  });
});
