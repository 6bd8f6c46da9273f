import { describe, expect, it } from 'vitest';
import { parsePolicy, verifyCheckpoint } from '@behalf/audit-verify';
import {
  parseCheckpoint,
  parseNote,
  parseVerifierKey,
  verifySignatures,
} from '@behalf/audit-verify/internal';
import { checkpointText, signNote, verifierKey } from '../../audit/log/note.js';
import { makeKey, MemoryLog, ORIGIN, TestWitness, verifierKeyOf } from './support.js';

/** The examples of C2SP signed-note and tlog-checkpoint. */
const KEY = 'example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k';
const NOTE = `This is an example message.

— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=
`;
const CHECKPOINT = `example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
`;

describe('C2SP signed-note: the published example', () => {
  it('verifies under its key', () => {
    const key = parseVerifierKey(KEY);
    expect(verifySignatures(parseNote(NOTE), [key])).toEqual([{ key }]);
  });

  it('does not verify when a letter of the text changes', () => {
    const changed = NOTE.replace('example message', 'example Message');
    expect(() => verifySignatures(parseNote(changed), [parseVerifierKey(KEY)])).toThrow(/does not verify/);
  });

  it('is signed by nobody whom another key trusts', () => {
    expect(
      verifySignatures(parseNote(NOTE), [parseVerifierKey(verifierKey(makeKey('other.example')))]),
    ).toEqual([]);
  });

  it('is what our own signatures look like', () => {
    const key = makeKey();
    const note = parseNote(signNote('a text\n', [key]));
    expect(note.text).toBe('a text\n');
    expect(verifySignatures(note, [parseVerifierKey(verifierKey(key))])).toHaveLength(1);
  });
});

describe('C2SP signed-note: what is no note', () => {
  it.each([
    ['nothing', ''],
    ['no signatures', 'a text\n'],
    ['an empty signature block', 'a text\n\n'],
    ['no newline at the end', NOTE.slice(0, -1)],
    ['a hyphen for the dash', NOTE.replace('—', '-')],
    ['a name with a plus', NOTE.replace('— example.com/foo', '— example.com+foo')],
    ['a name with a space', NOTE.replace('— example.com/foo', '— example com/foo')],
    ['no name', NOTE.replace('— example.com/foo', '—')],
    ['base64 without padding', NOTE.replace('aQM=', 'aQM')],
    ['base64 for addresses', NOTE.replace('aQM=', '-QM=')],
    ['spare bits in base64', NOTE.replace('aQM=', 'aQN=')],
    ['a carriage return', NOTE.replace('\n', '\r\n')],
    ['a NUL', NOTE.replace('example message', 'example\0message')],
    ['only an identifier', 'a text\n\n— example.com/foo Uw2QOg==\n'],
    ['129 signatures', NOTE + `${NOTE.split('\n')[2] ?? ''}\n`.repeat(128)],
  ])('%s', (_name, text) => {
    expect(() => verifySignatures(parseNote(text), [parseVerifierKey(KEY)])).toThrow();
  });
});

describe('C2SP signed-note: what is no verifier key', () => {
  it.each([
    ['nothing', ''],
    ['another identifier', KEY.replace('530d903a', '530d903b')],
    ['another name', KEY.replace('/foo', '/bar')],
    ['upper-case hex', KEY.replace('530d903a', '530D903A')],
    ['a key that is cut off', KEY.slice(0, -4)],
    ['ML-DSA-44, which is not supported', verifierKeyOf('w', 6, Buffer.alloc(1312))],
    ['ECDSA', verifierKeyOf('w', 2, Buffer.alloc(32))],
    ['33 bytes', verifierKeyOf('w', 1, Buffer.alloc(33))],
  ])('%s', (_name, text) => {
    expect(() => parseVerifierKey(text)).toThrow(expect.objectContaining({ code: 'MALFORMED' }));
  });
});

describe('C2SP tlog-checkpoint', () => {
  it('reads the published example', () => {
    expect(parseCheckpoint(CHECKPOINT)).toMatchObject({
      origin: 'example.com/behind-the-sofa',
      size: 20_852_163,
    });
  });

  it.each([
    ['a size with a leading zero', CHECKPOINT.replace('20852163', '020852163')],
    ['a negative size', CHECKPOINT.replace('20852163', '-1')],
    ['a size beyond 2^53', CHECKPOINT.replace('20852163', '9007199254740993')],
    [
      'a root that is too short',
      CHECKPOINT.replace('CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=', 'CsUYapE='),
    ],
    ['no origin', CHECKPOINT.replace('example.com/behind-the-sofa\n', '\n')],
    ['an empty extension line', CHECKPOINT.replace('q2I=\n\n', 'q2I=\n\nmore\n\n')],
  ])('refuses %s', (_name, text) => {
    expect(() => parseCheckpoint(text)).toThrow();
  });

  it('accepts extension lines', () => {
    const key = makeKey();
    const text = `${checkpointText(ORIGIN, 1, Buffer.alloc(32))}more\n`;
    expect(parseCheckpoint(signNote(text, [key])).size).toBe(1);
  });
});

describe('C2SP tlog-policy', () => {
  const log = new MemoryLog();
  const witnesses = ['w1', 'w2', 'w3'].map((name) => new TestWitness(`${name}.example`));
  const [w1, w2, w3] = witnesses as [TestWitness, TestWitness, TestWitness];
  const known = `log ${verifierKey(log.key)} https://audit.bank.example/
# The witnesses of three organizations.
${witnesses.map(({ verifierKey: key }, at) => `\twitness  W${at + 1} ${key}  `).join('\n')}
`;
  const cosigned = (...by: readonly TestWitness[]): string =>
    by.reduce((text, witness) => witness.cosign(text), log.signed);

  it.each([
    ['none', '', []],
    ['W1', '', [w1]],
    ['any3', 'group any3 any W1 W2 W3', [w2]],
    ['two', 'group two 2 W1 W2 W3', [w1, w3]],
    ['all3', 'group all3 all W1 W2 W3', [w1, w2, w3]],
    ['both', 'group pair any W1 W2\ngroup both all pair W3', [w2, w3]],
  ])('trusts a quorum of %s', (quorum, groups, by) => {
    const policy = parsePolicy(`${known}${groups}\nquorum ${quorum}\n`);
    const { cosignatures, signedBy } = verifyCheckpoint(cosigned(...by), policy);
    expect(cosignatures).toHaveLength(by.length);
    expect(signedBy.map(({ text }) => text)).toEqual([verifierKey(log.key)]);
  });

  it.each([
    ['W1', '', [w2, w3]],
    ['two', 'group two 2 W1 W2 W3', [w1]],
    ['two', 'group two 2 W1 W2 W3', [w1, w1]],
    ['all3', 'group all3 all W1 W2 W3', [w1, w2]],
    ['both', 'group pair any W1 W2\ngroup both all pair W3', [w1, w2]],
  ])('does not trust less than the quorum %s', (quorum, groups, by) => {
    const policy = parsePolicy(`${known}${groups}\nquorum ${quorum}\n`);
    expect(() => verifyCheckpoint(cosigned(...by), policy)).toThrow(
      expect.objectContaining({ code: 'QUORUM' }),
    );
  });

  it('does not trust an empty tree with a root', () => {
    const text = signNote(checkpointText(ORIGIN, 0, Buffer.alloc(32)), [log.key]);
    const policy = parsePolicy(`log ${verifierKey(log.key)}\nquorum none\n`);
    expect(() => verifyCheckpoint(text, policy)).toThrow(expect.objectContaining({ code: 'PROOF' }));
  });

  it('does not trust cosignatures without the log', () => {
    const policy = parsePolicy(`witness W1 ${w1.verifierKey}\nquorum W1\n`);
    expect(() => verifyCheckpoint(cosigned(w1), policy)).toThrow(
      expect.objectContaining({ code: 'SIGNATURE' }),
    );
  });

  it('does not trust a log that signs under the name of another', () => {
    const thief = new MemoryLog(makeKey());
    const policy = parsePolicy(`log ${verifierKey(log.key)}\nquorum none\n`);
    expect(() => verifyCheckpoint(thief.signed, policy)).toThrow(
      expect.objectContaining({ code: 'SIGNATURE' }),
    );
  });

  it('does not take a signature over one time for another time', () => {
    const later = cosigned(w1).replace(/(— w1\.example )(\S+)/, (_all, before: string, base64: string) => {
      const bytes = Buffer.from(base64, 'base64');
      bytes.writeBigUInt64BE(1_800_000_000n, 4);
      return before + bytes.toString('base64');
    });
    const policy = parsePolicy(`${known}quorum W1\n`);
    expect(() => verifyCheckpoint(later, policy)).toThrow(expect.objectContaining({ code: 'SIGNATURE' }));
  });

  it.each([
    ['no quorum', known],
    ['two quorums', `${known}quorum none\nquorum none`],
    ['a quorum of nobody', `${known}quorum W4`],
    ['a name twice', `${known}group W1 any W2\nquorum none`],
    ['a group named none', `${known}group none any W2\nquorum none`],
    ['a member twice', `${known}group a any W1\ngroup b any W1\nquorum none`],
    ['none as a member', `${known}group a any none\nquorum none`],
    ['a group that is defined later', `${known}group a any b\ngroup b any W1\nquorum a`],
    ['too many of a group', `${known}group a 4 W1 W2 W3\nquorum a`],
    ['none of a group', `${known}group a 0 W1 W2 W3\nquorum a`],
    ['an empty group', `${known}group a all\nquorum a`],
    ['a key twice', `${known}log ${verifierKey(log.key)}\nquorum none`],
    ['a log that is a witness', `witness W ${verifierKey(log.key)}\nquorum none`],
    ['a witness that is a log', `log ${w1.verifierKey}\nquorum none`],
    ['an unknown word', `${known}quorum none\nlogs x`],
    ['a form feed', `${known}quorum\fnone`],
    ['a carriage return', `${known}quorum none\r\n`],
    ['more than a name', `${known}quorum none none`],
  ])('refuses %s', (_name, text) => {
    expect(() => parsePolicy(text)).toThrow(expect.objectContaining({ code: 'MALFORMED' }));
  });

  it('names the line', () => {
    expect(() => parsePolicy('# a comment\n\nquorum W1\n')).toThrow(
      'line 3: W1 is no witness or group of a line above',
    );
  });

  it('decides deep groups in one pass', () => {
    const groups = Array.from(
      { length: 9_000 },
      (_, at) => `group g${at} any ${at === 0 ? 'W1' : `g${at - 1}`}`,
    );
    const policy = parsePolicy(`${known}${groups.join('\n')}\nquorum g8999\n`);
    expect(policy.isQuorum(new Set(['W1']))).toBe(true);
    expect(policy.isQuorum(new Set(['W2']))).toBe(false);
  });
});
