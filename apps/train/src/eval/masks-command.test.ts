import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { EvalRecord } from '@franca/evals';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { maskPng, pictureOf, writeAt } from '../../test/mask-files';
import { temporaryFolder, writeTinyModel } from '../../test/tiny-model';
import { runCli } from '../run-cli';

let folder: string;
let model: readonly string[];
const printed: string[] = [];
beforeAll(async () => {
  folder = await temporaryFolder();
  model = ['-w', await writeTinyModel(folder), '--cache', join(folder, 'cache')];
  vi.spyOn(console, 'log').mockImplementation((line: string) => void printed.push(line));
  vi.spyOn(console, 'error').mockImplementation((line: string) => void printed.push(line));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

const SIDE = 32;
const IMAGES = 11;

/** Ten and one images a part with a bright square; `polyp` is its value in the masks. */
async function squares(name: string, polyp: number): Promise<string> {
  const root = join(folder, name);
  for (const part of ['train', 'val'])
    for (let i = 0; i < IMAGES; i++) {
      const values = Array.from({ length: SIDE * SIDE }, (_, at) => (at % SIDE >= 8 + i ? polyp : 0));
      await writeAt(join(root, part, 'images', `p${i}.jpg`), await pictureOf(values, SIDE, 0));
      await writeAt(join(root, part, 'masks', `p${i}.png`), maskPng(values, SIDE, { colour: 0, depth: 8 }));
    }
  await writeFile(join(root, 'classes.json'), '["background", "polyp"]');
  return root;
}

async function evaluate(task: string, data: string, ...options: readonly string[]): Promise<EvalRecord> {
  const json = join(folder, 'record.json');
  expect(await runCli(['eval', task, ...model, '-d', data, '--json', json, ...options])).toBe(0);
  return (JSON.parse(await readFile(json, 'utf8')) as EvalRecord[])[0]!;
}

test.each(['in-context', 'linear-seg', 'overcluster'])(
  '%s: masks of 0 and 255 are refused until their values are named',
  async (task) => {
    const options =
      task === 'overcluster' ? ['--clusters', '2', '--seeds', '0'] : task === 'linear-seg' ? ['--epochs', '1'] : [];
    const [plain, scaled] = [await squares('plain', 1), await squares('scaled', 255)];
    expect(await runCli(['eval', task, ...model, '-d', scaled, ...options])).not.toBe(0);
    expect(printed.at(-1)).toMatch(/every scored pixel .* --mask-values 0,255$/);
    const right = await evaluate(task, plain, ...options);
    const named = await evaluate(task, scaled, ...options, '--mask-values', '0,255');
    // the same pictures and, class by class, the same masks
    expect([named.value, named.perClass]).toEqual([right.value, right.perClass]);
    // what a task says of itself aside
    const onMasks = ({ notes = [] }: EvalRecord) => notes.filter((note) => !note.startsWith(`${task}: `));
    expect([onMasks(right), onMasks(named)]).toEqual([
      [],
      ['values of masks are read as classes by --mask-values: 0 background, 255 polyp'],
    ]);
    expect(named.hyper).toMatchObject({ ignore: 255, absent: 'zero', averageOver: 'all' });
  },
);

test('a damaged mask leaves with its picture; above a tenth of missing ones is refused', async () => {
  const data = await squares('damaged', 1);
  await writeFile(join(data, 'val/masks/p0.png'), 'text');
  const record = await evaluate('in-context', data);
  expect([record.evaluated, record.total]).toEqual([IMAGES - 1, IMAGES]);
  expect(record.notes).toEqual([
    expect.stringMatching(/^1 of 11 masks of damaged val cannot be used and are left out: .*p0.png is not a PNG$/),
  ]);
  await rm(join(data, 'val/masks/p1.png'));
  await rm(join(data, 'val/masks/p2.png'));
  expect(await runCli(['eval', 'in-context', ...model, '-d', data])).not.toBe(0);
  expect(printed.at(-1)).toMatch(
    /2 of 11 pictures of damaged val have no usable mask, .* p1.jpg \(no p1.png in val\/masks\)/,
  );
});

test('a picture that cannot be read is missing on the page too', async () => {
  const data = await squares('dark', 1);
  await writeFile(join(data, 'val/images/p0.jpg'), 'text');
  const record = await evaluate('in-context', data, '--html', join(folder, 'page.html'));
  expect([record.evaluated, record.total]).toEqual([IMAGES - 1, IMAGES]);
});

test('evaluations that read no mask go on without them', async () => {
  const data = await squares('untouched', 7);
  const { notes = [] } = await evaluate('entropy', data);
  expect(notes.filter((note) => note.includes('mask'))).toEqual([]);
});

test('a class that cannot be predicted is told, as is one to average over that is none', async () => {
  const data = await squares('rare', 1);
  await writeFile(join(data, 'classes.json'), '["background", "polyp", "tool"]');
  const values = Array.from({ length: SIDE * SIDE }, (_, at) => (at % SIDE >= 20 ? 2 : 0));
  await writeAt(join(data, 'val/masks/p0.png'), maskPng(values, SIDE, { colour: 0, depth: 8 }));
  expect((await evaluate('in-context', data)).notes).toEqual([
    '1 of 3 classes in rare val have no pixel in train and cannot be predicted: tool',
    expect.stringMatching(/^1 of 3 classes occur in no scored pixel of rare train: tool/),
  ]);
  expect(await runCli(['eval', 'in-context', ...model, '-d', data, '--classes', '1,3'])).toBe(2);
  expect(printed.at(-1)).toMatch(/--classes 3 is no class of rare; they are 0 to 2/);
});
