import { expect, test } from 'vitest';
import { expectError } from '../../test/support';
import { unpickle } from './pickle';
import { PickleGlobal, PickleObject } from './pickle-values';
import { torchHooks } from './torch-objects';
import { walkPickle } from './walk-pickle';

/** A pickle as its bytes: strings stand for their characters, numbers for single bytes. */
function pickle(...parts: (string | number)[]): Uint8Array {
  return Uint8Array.from(
    parts.flatMap((part) => (typeof part === 'number' ? [part] : [...Buffer.from(part, 'latin1')])),
  );
}

const load = (...parts: (string | number)[]) => unpickle(pickle(...parts), torchHooks());
const leaves = (...parts: (string | number)[]) => {
  const bytes = pickle(...parts);
  return walkPickle(unpickle(bytes, torchHooks()), bytes.length);
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

const commands = [
  'os.system',
  'posix.popen',
  'nt.execv',
  'subprocess.Popen',
  'builtins.eval',
  '__builtin__.execfile',
  'runpy.run_path',
];

test.each([...commands, 'builtins.__import__', 'shutil.rmtree', 'urllib.request.urlopen', 'ctypes.util.find_library'])(
  'what would run a command in Python is refused by its name: %s',
  async (name) => {
    const [, module, attribute] = /^(.*)\.(.*)$/.exec(name)!;
    const refusal = new RegExp(`"${name}", which would run when the file is opened in Python`);
    await expectError(() => load(`c${module}\n${attribute}\n(\x8c\x08rm -rf /tR.`), 'unsafe-pickle', refusal);
    await expectError(() => load(short(module!), short(attribute!), '\x93)R.'), 'unsafe-pickle', refusal);
    await expectError(() => load(`(i${module}\n${attribute}\n.`), 'unsafe-pickle', refusal);
  },
);

const short = (text: string) => `\x8c${String.fromCharCode(text.length)}${text}`;

test('any other global keeps what it is given and does nothing', () => {
  const value = load('cmodels\nNet\n\x8c\x02ls\x85R}\x8c\x01aK\x01sb.');
  expect(value).toEqual(Object.assign(new PickleObject('models.Net', ['ls']), { state: new Map([['a', 1]]) }));
  for (const name of ['torch.hub.load', 'os.path.join', 'builtins.getattr', 'evil.system']) {
    const hooks = torchHooks();
    expect(hooks.global(name)).toEqual(new PickleGlobal(name));
    expect([...hooks.inert]).toEqual([name]);
  }
  expect([...torchHooks().inert]).toEqual([]);
});

test('what an inert call gave may be called again, and is inert too', () => {
  expect(load('c__builtin__\ngetattr\ncm\nOuter\n\x8c\x05Inner\x86R)\x81.')).toEqual(
    new PickleObject('__builtin__.getattr', []),
  );
});

test('objects, sets and containers of every protocol are data', () => {
  expect(load('\x8f(K\x01K\x02\x90.')).toEqual([1, 2]);
  expect(load('(K\x01K\x02\x91.')).toEqual([1, 2]);
  expect(load('c__builtin__\nset\n](K\x01K\x02e\x85R.')).toEqual([1, 2]);
  expect(load('(lI1\naL2L\naI01\na.')).toEqual([1, 2, true]);
  expect(load("(dS'a'\nF1.5\nsV\\u00e9\nFnan\ns.")).toEqual(
    new Map([
      ['a', 1.5],
      ['é', Number.NaN],
    ]),
  );
  expect(load("S'it\\'s \\x41\\n'\n.")).toBe("it's A\n");
  expect(load('(I7\nlp1\n0g1\n2\x86.')).toEqual([[7], [7]]);
  expect(load('(cm\nOld\nK\x01o.')).toEqual(new PickleObject('m.Old', [1]));
  expect(load('(K\x01im\nOld\n.')).toEqual(new PickleObject('m.Old', [1]));
  expect(load('cm\nNew\nK\x01\x85}\x8c\x01aK\x02s\x92.')).toEqual(
    Object.assign(new PickleObject('m.New', [1]), { state: new Map([['a', 2]]) }),
  );
  expect(load('cm\nQueue\n)R(K\x01K\x02e.')).toMatchObject({ list: [1, 2] });
  expect(load('cm\nDict\n)R\x8c\x01aK\x01s.')).toMatchObject({ items: new Map([['a', 1]]) });
});

test('long texts and bytes of protocols 4 and 5', () => {
  const eight = (length: number) => `${String.fromCharCode(length)}\0\0\0\0\0\0\0`;
  expect(load(`\x8d${eight(2)}hi.`)).toBe('hi');
  expect(load(`\x8e${eight(2)}hi.`)).toEqual(Uint8Array.from(Buffer.from('hi')));
  expect(load(`\x96${eight(2)}hi.`)).toEqual(Uint8Array.from(Buffer.from('hi')));
  expect(load('\x8b\x02\0\0\0\x00\x01.')).toBe(256);
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
  ['an opcode that pickle does not have', ['\xee.']],
  ['a class of the extension registry', ['\x82\x01.']],
  ['a buffer outside of it', ['\x97.']],
  ['a number that is none', ['I1x\n.']],
  ['a number of a million digits', [`L${'9'.repeat(1_000_000)}L\n.`]],
  ['an integer of a million bytes', ['\x8b\x40\x42\x0f\x00', '9'.repeat(1_000_000), '.']],
  ['a float that is none', ['F\n.']],
  ['a text without quotes', ['Sa\n.']],
  ['a character beyond Unicode', ['V\\UFFFFFFFF\n.']],
  ['a memo without a number', ['Npx\n.']],
  ['bytes longer than the file', ['\x8e\xff\xff\xff\xff\xff\xff\xff\xff.']],
  ['a dict of half a pair', ['(K\x01d.']],
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
  await expectError(() => load(...parts), 'format', /malformed/);
});

test('more opcodes than any checkpoint has are refused before memory runs out', async () => {
  await expectError(() => unpickle(new Uint8Array(500_001).fill(0x7d), torchHooks()), 'too-large', /opcodes/);
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
];

function storage(elements: string): string {
  return `(\x8c\x07storagectorch\nFloatStorage\n\x8c\x010\x8c\x03cpu${elements}tQ`;
}

function tensor(elements: string, offset: string, shape: string, stride: string): string {
  return `ctorch._utils\n_rebuild_tensor_v2\n(${storage(elements)}${offset}${shape}${stride}tR.`;
}

test.each(impossible)('%s is refused', async (_, parts, message) => {
  await expectError(() => load(...parts), 'header', message);
});

test('a storage class is a name, not something to call', () => {
  expect(load('ctorch\nFloatStorage\n.')).toEqual(new PickleGlobal('torch.FloatStorage'));
});

/** A tensor of `key` with one element. */
const one = (key: string) =>
  `ctorch._utils\n_rebuild_tensor_v2\n((\x8c\x07storagectorch\nFloatStorage\n${short(key)}\x8c\x03cpuK\x01tQK\x00))tR`;
const tensorsOf = (...parts: string[]) =>
  [...leaves(...parts).tensors].map(([name, { storage }]) => `${name}: ${storage.key}`);

const dict = (key: string, value: string) => `}${short(key)}${value}s`;

const containers: [what: string, pickle: string, name: string][] = [
  ['a defaultdict', `ccollections\ndefaultdict\nc__builtin__\nlist\n\x85R${short('w')}${one('0')}s.`, 'w'],
  ['a dict subclass', `ceasydict\nEasyDict\n)\x81${short('w')}${one('0')}s.`, 'w'],
  [
    'one that repeats its items as attributes',
    `ceasydict\nEasyDict\n)\x81${short('w')}${one('0')}q\x01s${dict('w', 'h\x01')}b.`,
    'w',
  ],
  ['a Namespace', `cargparse\nNamespace\n)\x81${dict('w', one('0'))}b.`, 'w'],
  ['an object with slots', `cm\nSlots\n)\x81N${dict('w', one('0'))}\x86b.`, 'w'],
  ['a Counter, which takes a dict', `ccollections\nCounter\n${dict('w', one('0'))}\x85R.`, 'w'],
  ['an OrderedDict of Python 2', `ccollections\nOrderedDict\n](](${short('w')}${one('0')}ee\x85R.`, 'w'],
  [
    'an OrderedDict with attributes',
    `ccollections\nOrderedDict\n)R${short('w')}${one('0')}s${dict('_metadata', '}')}b.`,
    'w',
  ],
  ['a list subclass', `cm\nList\n)\x81(${one('0')}e.`, '0'],
  ['a set', `\x8f(${one('0')}\x90.`, '0'],
  [
    'omegaconf, whose parts know their parent',
    `comegaconf\nDictConfig\n)\x81q\x07}(${short('_parent')}h\x07${short('_content')}${dict('w', one('0'))}ub.`,
    '_content.w',
  ],
  [
    'a subclass of Tensor',
    `ctorch._tensor\n_rebuild_from_type_v2\n(ctorch._utils\n_rebuild_tensor_v2\ncm\nMyTensor\n((\x8c\x07storagectorch\nFloatStorage\n\x8c\x010\x8c\x03cpuK\x01tQK\x00))t}tR.`,
    '',
  ],
];

test.each(containers)('a tensor is found in %s', (_, text, name) => {
  expect(tensorsOf(text)).toEqual([`${name}: 0`]);
});

test('a whole module has the tensors that its state_dict would have', () => {
  const ordered = (...pairs: string[]) => `ccollections\nOrderedDict\n)R(${pairs.join('')}u`;
  const module = (parameters: string, buffers: string, modules: string) =>
    `cmodels.vit\nPart\n)\x81}(${short('training')}\x88${short('_parameters')}${parameters}${short('_buffers')}${buffers}${short('_non_persistent_buffers_set')}c__builtin__\nset\n](${short('cache')}e\x85R${short('_modules')}${modules}ub`;
  const inner = module(ordered(short('weight'), one('1'), short('bias'), 'N'), ordered(), ordered());
  const outer = module(
    ordered(short('cls_token'), one('0')),
    ordered(short('mean'), one('2'), short('cache'), one('3')),
    ordered(short('norm'), inner),
  );
  expect(tensorsOf(`${outer}.`)).toEqual(['cls_token: 0', 'mean: 2', 'norm.weight: 1']);
});

test('tensors of types that are not read are named; the others are found', () => {
  const complex = one('9').replace('FloatStorage', 'ComplexFloatStorage');
  const sparse = one('8').replace('_rebuild_tensor_v2', '_rebuild_sparse_tensor');
  const later = one('7').replace('_v2', '_v3').replace('torchFloat', 'torch.storageUntyped');
  const text = `}(${short('a')}${complex}${short('b')}${one('0')}${short('c')}${sparse}${short('d')}${later}u.`;
  const { tensors, unread } = leaves(text);
  expect([[...tensors.keys()], unread]).toEqual([['b'], ['a', 'c', 'd']]);
});

test('a dictionary that contains itself is passed over inside of itself', () => {
  expect([...leaves('}q\x00(\x8c\x01ah\x00\x8c\x01bK\x01u.').values]).toEqual([['b', 1]]);
});

test('two tensors of one name are refused', async () => {
  await expectError(() => leaves(`}(K\x01${one('0')}${short('1')}${one('1')}u.`), 'format', /two tensors at "1"/);
});

test('objects that share a long list are refused instead of looked through again and again', async () => {
  const list = `](${'K\x01K\x02\x86'.repeat(2000)}eq\x00`;
  const objects = 'cm\nA\nh\x00\x85R'.repeat(2000);
  await expectError(() => leaves(`(${list}${objects}t.`), 'too-large', /shares its parts/);
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
