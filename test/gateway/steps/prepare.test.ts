import { print } from 'graphql';
import { describe, expect, it } from 'vitest';
import { prepare } from '../../../gateway/steps/prepare.js';
import { authenticated, operationOf, requestOf } from './support.js';

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
