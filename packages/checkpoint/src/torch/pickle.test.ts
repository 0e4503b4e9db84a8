import { expect, test } from 'vitest';
import { expectError } from '../../test/support';
import { PickleGlobal, PickleObject, unpickle } from './pickle';
import { torchHooks } from './torch-objects';
import { walkPickle } from './walk-pickle';

/** A pickle as its bytes: strings stand for their characters, numbers for single bytes. */
function pickle(...parts: (string | number)[]): Uint8Array {
  return Uint8Array.from(
    parts.flatMap((part) => (typeof part === 'number' ? [part] : [...Buffer.from(part, 'latin1')])),
  );
}

const load = (...parts: (string | number)[]) => unpickle(pickle(...parts), torchHooks([]));
const leaves = (...parts: (string | number)[]) => {
  const bytes = pickle(...parts);
  return walkPickle(unpickle(bytes, torchHooks([])), bytes.length);
};

test('plain values, tuples, lists, dicts', () => {
  expect(load('\x80\x02N.')).toBe(null);
  expect(load('(\x88\x89K\x07M\x01\x02J\xfe\xff\xff\xfft.')).toEqual([true, false, 7, 513, -2]);
  expect(load('G\x3f\xf8\x00\x00\x00\x00\x00\x00.')).toBe(1.5);
  expect(load('\x8c\x02hi.')).toBe('hi');
  expect(load('](K\x01K\x02eK\x03a.')).toEqual([1, 2, 3]);
  expect(load('}(\x8c\x01aK\x01\x8c\x01bK\x02u.')).toEqual(
    new Map([
      ['a', 1],
      ['b', 2],
    ]),
  );
});

test('long integers are signed, and stay exact beyond 2^53', () => {
  expect(load('\x8a\x01\xff.')).toBe(-1);
  expect(load('\x8a\x00.')).toBe(0);
  expect(load('\x8a\x05\x00\x00\x00\x00\x01.')).toBe(2 ** 32);
  expect(load('\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f.')).toBe(2n ** 63n - 1n);
});

test('the memo gives the same object again', () => {
  const [a, b] = load(']q\x05h\x05\x86.') as unknown[];
  expect(a).toBe(b);
});

test('the classic attack is refused by the name of what it would call', async () => {
  await expectError(() => load('cos\nsystem\n(\x8c\x08rm -rf /t', 'R.'), 'unsafe-pickle', /"os\.system"/);
  await expectError(() => load('\x8c\x08builtins\x8c\x04eval\x93\x8c\x011\x85R.'), 'unsafe-pickle', /"builtins\.eval"/);
  await expectError(() => load('ctorch.hub\nload\n.'), 'unsafe-pickle', /"torch\.hub\.load"/);
  await expectError(() => load('ctorch\nnn.Module\n.'), 'unsafe-pickle', /"torch\.nn\.Module"/);
});

test('inert globals keep what they are given and do nothing', () => {
  const value = unpickle(pickle('cos\nsystem\n\x8c\x02ls\x85R}\x8c\x01aK\x01sb.'), torchHooks(['os.system']));
  expect(value).toEqual(Object.assign(new PickleObject('os.system', ['ls']), { state: new Map([['a', 1]]) }));
});

test('names of JavaScript properties are names like any other', () => {
  const { values } = leaves('}(\x8c\x09__proto__K\x01\x8c\x0bconstructorK\x02u.');
  expect([...values]).toEqual([
    ['__proto__', 1],
    ['constructor', 2],
  ]);
  expect(({} as Record<string, unknown>).polluted).toBeUndefined();
});

const malformed: [what: string, parts: (string | number)[]][] = [
  ['nothing', []],
  ['no stop', ['N']],
  ['an opcode of another protocol', ['I1\n.']],
  ['a result from an empty stack', ['.']],
  ['a mark that is missing', ['t.']],
  ['a memo that was never written', ['h\x01.']],
  ['text longer than the file', ['X\xff\xff\xff\xff.']],
  ['bytes of negative length', ['B\xfb\xff\xff\xff.']],
  ['a line without an end', ['ctorch']],
  ['a call of a number', ['K\x01)R.']],
  ['a call without a tuple', ['ctorch\nSize\nK\x01R.']],
  ['items of something that is no dict', ['K\x01K\x02K\x03s.']],
  ['an odd number of items', ['}(K\x01u.']],
  ['items appended to a number', ['K\x01K\x02a.']],
  ['a global named by numbers', ['K\x01K\x02\x93.']],
];

test.each(malformed)('%s is called malformed', async (_, parts) => {
  await expectError(() => load(...parts), 'bad-format', /malformed/);
});

test('more opcodes than any checkpoint has are refused before memory runs out', async () => {
  await expectError(() => unpickle(new Uint8Array(500_001).fill(0x7d), torchHooks([])), 'too-large', /opcodes/);
});

const impossible: [what: string, parts: string[], message: RegExp][] = [
  ['a persistent id that is no storage', ['K\x01Q.'], /storage is 1/],
  ['a storage of an unknown class', ['(\x8c\x07storagectorch\ndevice\n\x8c\x010\x8c\x03cpuK\x01tQ.'], /storage is/],
  ['a storage of negative size', [storage('J\xff\xff\xff\xff'), '.'], /storage is/],
  ['a tensor without storage', ['ctorch._utils\n_rebuild_tensor_v2\n(NK\x00))tR.'], /no storage/],
  ['a tensor beyond its storage', [tensor('K\x04', 'K\x00', 'K\x05\x85', 'K\x01\x85')], /shape \[5\].*4 elements/],
  ['an offset beyond its storage', [tensor('K\x04', 'K\x04', ')', ')')], /at 4 of/],
  ['a negative stride', [tensor('K\x04', 'K\x03', 'K\x02\x85', 'J\xff\xff\xff\xff\x85')], /stride \[-1\]/],
  ['a shape and stride of different rank', [tensor('K\x04', 'K\x00', 'K\x02\x85', ')')], /stride \[\]/],
  ['a shape of text', [tensor('K\x04', 'K\x00', '\x8c\x012', ')')], /shape "2"/],
  ['an OrderedDict with arguments', ['ccollections\nOrderedDict\n]\x85R.'], /OrderedDict with arguments/],
];

function storage(elements: string): string {
  return `(\x8c\x07storagectorch\nFloatStorage\n\x8c\x010\x8c\x03cpu${elements}tQ`;
}

function tensor(elements: string, offset: string, shape: string, stride: string): string {
  return `ctorch._utils\n_rebuild_tensor_v2\n(${storage(elements)}${offset}${shape}${stride}tR.`;
}

test.each(impossible)('%s is refused', async (_, parts, message) => {
  await expectError(() => load(...parts), 'bad-header', message);
});

test('a storage class is a name, not something to call', () => {
  expect(load('ctorch\nFloatStorage\n.')).toEqual(new PickleGlobal('torch.FloatStorage'));
});

test('a dictionary that contains itself is refused', async () => {
  await expectError(() => leaves('}q\x00\x8c\x01ah\x00s.'), 'bad-format', /contains itself at "a"/);
});

test('paths that double at every level are refused instead of walked', async () => {
  const doubled = Array.from({ length: 40 }, () => '2\x86')
    .join('')
    .replaceAll('2', '\x71\x00h\x00');
  await expectError(() => leaves(`K\x01${doubled}.`), 'too-large', /shares its parts/);
});

test('nesting beyond any checkpoint is refused', async () => {
  await expectError(() => leaves(`N${'\x85'.repeat(5000)}.`), 'too-large', /deeper than 64|shares its parts/);
});
