/** Calls that plain JavaScript makes and no compiler sees: each is refused by name, with the way out, and never as a raw error of Node. */
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { expectError, pthFixture, temporaryFolder } from '../test/support';
import type { CheckpointErrorCode } from './errors';
import { explained } from './explain-file';
import * as checkpoint from './index';

const folder = temporaryFolder();
const path = join(folder, 'a.safetensors');
const entry = { name: 'a', dtype: 'f32', shape: [2], data: Float32Array.of(1, 2) } as const;
const contents = { step: 1, state: {}, stateVersion: 1, tensors: { student: [entry] } };
/** The functions as plain JavaScript sees them. */
const js = checkpoint as unknown as Readonly<Record<string, (...given: readonly unknown[]) => unknown>>;

const PATHS = [
  'openCheckpoint',
  'openSafetensors',
  'openPth',
  'openNpy',
  'openNpz',
  'openSharded',
  'loadRunCheckpoint',
  'listRunCheckpoints',
  'latestRunCheckpoint',
  'lockRun',
  'unpackWeights',
];
test.each(PATHS)('%s without a path, or with something else', async (name) => {
  for (const [given, said] of [
    [undefined, /takes a path; undefined was given/],
    ['', /takes a path; the text "" was given/],
    [5, /the number 5 was given/],
    [Promise.resolve(path), /a promise \(await it\) was given/],
    [new Uint8Array(4), /a Uint8Array was given; openSafetensors of @franca\/checkpoint\/bytes takes that/],
    [new URL('https://x.y/a.safetensors'), /a URL was given; openSafetensors of @franca/],
  ] as const)
    await expectError(async () => js[name]!(given, folder), 'argument', said);
});

test.each<[string, CheckpointErrorCode, () => unknown, RegExp]>([
  ['no entries', 'argument', () => js.writeSafetensors!(path), /a list of entries; undefined was given/],
  ['a table', 'argument', () => js.writeSafetensors!(path, { a: entry.data }), /a list of entries; an Object was/],
  [
    'a bare array',
    'argument',
    () => js.writeSafetensors!(path, [entry.data]),
    /cannot write a Float32Array; an entry is/,
  ],
  ['a dtype of Python', 'argument', () => write({ dtype: 'float32' }), /unknown dtype float32; there are bool, u8/],
  ['no shape', 'argument', () => write({ shape: undefined }), /"a": its shape is \[undefined\]/],
  ['no data', 'argument', () => write({ data: undefined }), /its data are undefined; give a typed array/],
  ['numbers as data', 'argument', () => write({ data: [1, 2] }), /its data are an Array; give a typed array/],
  [
    'metadata',
    'argument',
    () => js.writeSafetensors!(path, [entry], { step: 5 }),
    /"step" is the number 5; metadata are/,
  ],
  ['no path to write to', 'argument', () => js.writeSafetensors!(undefined, [entry]), /takes a path; undefined/],
  ['a path as source', 'argument', () => js.splitOfficial!('a.pth'), /the text "a\.pth" was given; open it first/],
  ['a promise of one', 'argument', () => js.entriesOf!(checkpoint.openPth(pthFixture('deflated.pth'))), /await it/],
  [
    'names as a table',
    'argument',
    () => js.renameTensors!(none, { a: 'b' }),
    /a Map of names, .*; an Object was given/,
  ],
  ['an option', 'options', () => js.splitOfficial!(none, { net_work: 'x' }), /no "net_work"; it has network/],
  ['a text as options', 'options', () => js.splitOfficial!(none, 'teacher'), /takes an object; the text "teacher"/],
  ['a misspelt state version', 'options', () => save({ state_version: 1 }), /no "state_version"; it has step, state, /],
  ['no version', 'argument', () => save({ stateVersion: undefined }), /stateVersion undefined is no whole number/],
  ['no tensors', 'argument', () => save({ tensors: undefined }), /groups of entries by name; undefined was given/],
  ['no contents', 'options', () => js.saveRunCheckpoint!(folder), /takes an object; undefined was given; it has step/],
  [
    'a policy',
    'options',
    () => js.pruneRunCheckpoints!(folder, { keep_last: 2 }),
    /no "keep_last"; it has last, every/,
  ],
  ['no policy', 'options', () => js.pruneRunCheckpoints!(folder), /takes an object; undefined was given/],
  ['another dtype', 'argument', () => js.toFloat32!('float16', new Uint16Array(1)), /no dtype "float16"; there are/],
  ['no elements', 'argument', () => js.toFloat32!('f16', [1]), /f16 lie in a Uint16Array; an Array was given/],
  ['a size of nothing', 'argument', () => js.elementSize!(undefined), /no dtype undefined/],
])('%s', async (_, code, call, message) => {
  await expectError(async () => call(), code, message);
});

const none = { tensors: new Map(), metadata: {}, read: async () => {}, readFloat32: async () => {} };
const write = (change: object) => js.writeSafetensors!(path, [{ ...entry, ...change }]);
const save = (change: object) => js.saveRunCheckpoint!(join(folder, 'run'), { ...contents, ...change });

test('a tensor that is not named, and a range in another form', async () => {
  await checkpoint.writeSafetensors(path, [entry]);
  await using file = await checkpoint.openCheckpoint(path);
  const read = file.read as (...given: readonly unknown[]) => Promise<unknown>;
  await expectError(read(), 'missing-tensor', /has no tensor undefined; it has "a"/);
  await expectError(read('a', [0, 1]), 'argument', /range \[undefined, undefined\) is not within the 2 elements/);
});

test('whatever format: after close() reads are refused, and close() again is none', async () => {
  await checkpoint.writeSafetensors(path, [entry]);
  const index = join(folder, 'a.index.json');
  writeFileSync(index, '{"weight_map": {"a": "a.safetensors"}}');
  for (const [of, name] of [
    [path, 'a'],
    [index, 'a'],
    [pthFixture('legacy.pth'), undefined],
    [pthFixture('deflated.pth'), undefined],
  ] as const) {
    const file = await checkpoint.openCheckpoint(of);
    const some = name ?? [...file.tensors.keys()][0]!;
    await file.read(some);
    await file.close();
    await file.close();
    await expectError(file.read(some), 'closed', /is closed; read its tensors before that, or open it again/);
    await expectError(file.readFloat32(some), 'closed');
  }
});

test('what the file system says is explained', async () => {
  const inFile = join(path, 'b.safetensors');
  await checkpoint.writeSafetensors(path, [entry]);
  mkdirSync(join(folder, 'taken'));
  symlinkSync('loop', join(folder, 'loop'));
  const cases: readonly (readonly [CheckpointErrorCode, () => Promise<unknown>, RegExp])[] = [
    [
      'not-found',
      () => checkpoint.openCheckpoint(join(folder, 'none')),
      /open .*none: there is no such file or folder \(ENOENT\); check/,
    ],
    ['not-found', () => checkpoint.openCheckpoint(inFile), /a part of the path is no folder \(ENOTDIR\)/],
    ['inaccessible', () => checkpoint.openCheckpoint(join(folder, 'loop')), /ELOOP/],
    ['not-found', () => checkpoint.writeSafetensors(join(folder, 'no', 'a'), [entry]), /write .*a: there is no such/],
    [
      'argument',
      () => checkpoint.writeSafetensors(join(folder, 'taken'), [entry]),
      /taken: it is a folder \(EISDIR\); name a file/,
    ],
    ['not-found', () => checkpoint.saveRunCheckpoint(path, contents), /cannot write .*ENOTDIR/],
    ['not-found', () => checkpoint.listRunCheckpoints(path), /cannot read .*ENOTDIR/],
    ['inaccessible', () => checkpoint.lockRun(path), /cannot write .*EEXIST/],
    [
      'not-found',
      () => checkpoint.unpackWeights(join(folder, 'x.tar.gz'), folder),
      /open .*x\.tar\.gz: there is no such/,
    ],
    [
      'not-found',
      () => checkpoint.unpackWeights(join(folder, 'no', 'x.part_aa'), folder),
      /read .*no: there is no such/,
    ],
  ];
  for (const [code, call, message] of cases) await expectError(call(), code, message);
});

test('what this user may not is said, and an error of the caller stays one', async () => {
  const failing = (code: string) => explained('open', 'a', () => Promise.reject(Object.assign(new Error(), { code })));
  await expectError(
    failing('EACCES'),
    'inaccessible',
    /cannot open a: this user may not \(EACCES\); check its permissions/,
  );
  await expectError(failing('EBADF'), 'closed', /it is closed \(EBADF\)/);
  await expectError(failing('EMFILE'), 'inaccessible', /too many files are open \(EMFILE\)/);
  await expectError(failing('EIO'), 'inaccessible', /\(EIO\); check path and disk/);
  await expect(failing('ERR_OTHER')).rejects.toMatchObject({ code: 'ERR_OTHER' });
  const data = () => Promise.reject(Object.assign(new Error('mine'), { code: 'ENOENT' }));
  await expect(checkpoint.writeSafetensors(path, [{ ...entry, data }])).rejects.toThrow('mine');
  if (process.getuid?.() === 0) return; // root may everything
  chmodSync(path, 0);
  await expectError(checkpoint.openCheckpoint(path), 'inaccessible', /this user may not/);
});
