import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type EvalRecord, PAPER_SETTINGS } from '@franca/evals';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { printedLines } from '../../test/in-process';
import { maskPng, pictureOf, writeAt } from '../../test/mask-files';
import { temporaryFolder, writeTinyModel } from '../../test/tiny-model';
import { runCli } from '../run-cli';
import { follow, learntFrom, PAPER_IN_CONTEXT, PAPER_LINEAR, PAPER_LOGREG } from './paper-protocol';
import { scoringOf, underProtocol } from './segmentation-scoring';
import { task as inContext } from './tasks/in-context';
import { task as linearSeg } from './tasks/linear-seg';
import { task as overcluster } from './tasks/overcluster';

let folder: string;
let common: readonly string[];
const printed = printedLines();
beforeAll(async () => {
  folder = await temporaryFolder();
  common = ['-w', await writeTinyModel(folder), '--cache', join(folder, 'cache'), '-d', await squares()];
});
afterAll(() => rm(folder, { recursive: true }));

const SIDE = 32;

/** Eight images a part with a bright square. */
async function squares(): Promise<string> {
  const root = join(folder, 'squares');
  for (const part of ['train', 'val'])
    for (let i = 0; i < 8; i++) {
      const values = Array.from({ length: SIDE * SIDE }, (_, at) => Number(at % SIDE >= 8 + i));
      await writeAt(join(root, part, 'images', `p${i}.jpg`), await pictureOf(values, SIDE, 0));
      await writeAt(join(root, part, 'masks', `p${i}.png`), maskPng(values, SIDE, { colour: 0, depth: 8 }));
    }
  await writeFile(join(root, 'classes.json'), '["background", "square"]');
  return root;
}

async function evaluate(task: string, ...options: readonly string[]): Promise<EvalRecord[]> {
  const json = join(folder, 'records.json');
  expect(await runCli(['eval', task, ...common, '--json', json, ...options])).toBe(0);
  return JSON.parse(await readFile(json, 'utf8')) as EvalRecord[];
}

/** The model is one for inputs of 32 px. */
const PAPER = ['--protocol', 'paper', '--size', `${SIDE}`];

test('the sides of the protocols are asked for where --size does not win', () => {
  const sides = [linearSeg, inContext, overcluster].map((task) => [
    task.inputSize!({ protocol: 'paper' }),
    task.inputSize!({}),
  ]);
  expect(sides).toEqual([
    [448, undefined],
    [518, undefined],
    [448, undefined],
  ]);
});

test('a class that is not scored counts as 0 in the mean, as published, unless one says otherwise', () => {
  const ade = { dataset: 'ade20k', classes: ['unlabelled', 'wall', 'sky'], ignore: 0 };
  expect(scoringOf(ade, underProtocol({}, 'paper')).averageOver).toBeUndefined();
  expect(scoringOf(ade, underProtocol({ unscored: 'skip' }, 'paper')).averageOver).toEqual([1, 2]);
  expect(scoringOf(ade, underProtocol({}, undefined)).averageOver).toEqual([1, 2]);
});

test('linear-seg: crops drawn for each epoch, chosen on test; what differs is told', async () => {
  const [record] = await evaluate('linear-seg', ...PAPER, '--epochs', '2');
  expect(record).toMatchObject({
    selectedOn: 'test',
    quirks: true,
    preprocessing: `squashed to ${SIDE} x ${SIDE} bilinear, mask nearest, ImageNet mean/std`,
    hyper: { epochs: 2, batchSize: 128, size: [100, 100], crops: 'neco', order: 'as the epochs were made' },
  });
  expect(record!.hyper.settings).toMatch(/deviations/);
  expect(record!.notes).toEqual(
    expect.arrayContaining([
      "linear-seg: not the paper's: --epochs 2 in place of 25",
      "linear-seg: not the paper's: --size 32 in place of 448",
    ]),
  );
  expect(printed[0]).toMatch(/^linear-seg by the paper's protocol: input of 32 x 32, bilinear; .*--select test; /);
  const [again] = await evaluate('linear-seg', ...PAPER, '--epochs', '2');
  expect(again!.value).toBe(record!.value);
});

test('in-context: two passes of crops in a bounded memory, both ways of naming', async () => {
  const [record] = await evaluate('in-context', ...PAPER, '--memory', '64');
  // 64 patches of 8 images seen twice: 4 each
  expect(record).toMatchObject({
    hyper: { memoryPatches: 64, k: 30, relabel: 'hungarian', crops: 'hummingbird, 2 passes' },
  });
  expect(record!.preprocessing).toMatch(/bilinear, mask nearest \(corner\), ImageNet mean\/std with .255 for .225$/);
  expect(Object.keys(record!.others)).toContain('mIoU as named');
});

test('overcluster: random starts, and a chart over the numbers of clusters', async () => {
  const html = join(folder, 'page.html');
  const records = await evaluate('overcluster', ...PAPER, '--clusters', '2,5', '--html', html);
  expect(records.map(({ hyper, seeds }) => [hyper.start, hyper.clusters, seeds.length])).toEqual([
    ['random', 2, 5],
    ['random', 5, 5],
  ]);
  expect(records[0]!.notes).toContain("overcluster: not the paper's: --clusters 2,5 in place of 2,100,300,500");
  const page = await readFile(html, 'utf8');
  expect(page).toMatch(/the band reaches from the lowest seed to the highest/);
});

test.each([
  [{ neighbours: 30, shots: [8] }, ["in-context: not the paper's: --shots is given"]],
  [
    { neighbours: 30, trainList: 'train', classes: [1] },
    ["in-context: not the paper's: --train-list is given", "in-context: not the paper's: --classes is given"],
  ],
  [{ trainList: 'trainaug', unscored: 'zero', neighbours: 30 }, []],
])('what else changes the number is no setting of the paper: %j', (given, told) => {
  const input = { size: 518, patchSize: 14 };
  const { notes, hyper } = follow({ task: 'in-context', protocol: 'paper', paper: PAPER_IN_CONTEXT, given, input });
  expect(notes.slice(0, told.length)).toEqual(told);
  expect(hyper.settings === PAPER_SETTINGS).toBe(told.length === 0);
});

test("a training part of another size than the paper's is told", () => {
  const followed = follow({
    task: 'in-context',
    protocol: 'paper',
    paper: PAPER_IN_CONTEXT,
    given: {},
    input: { size: 518, patchSize: 14 },
  });
  const settings = (dataset: string, length: number) =>
    learntFrom(followed, 'in-context', { dataset, length }).hyper.settings;
  expect(settings('voc-2012', 10_582)).toBe(PAPER_SETTINGS);
  expect(settings('photos', 7)).toBe(PAPER_SETTINGS);
  expect(settings('voc-2012', 1_464)).toMatch(/deviations/);
  expect(learntFrom(followed, 'in-context', { dataset: 'voc-2012', length: 1_464 }).notes).toContain(
    "in-context: not the paper's: 1464 images of train in place of 10582",
  );
});

test('of whole images the centre and what is before it are set; --resize beside it is told', () => {
  const asked = { protocol: 'paper', input: { size: 224, patchSize: 14 } } as const;
  const linear = follow({ ...asked, task: 'linear', paper: PAPER_LINEAR, given: {} });
  expect(linear).toMatchObject({ resize: 256, notes: [], hyper: { settings: PAPER_SETTINGS } });
  expect(linear.values).toMatchObject({ iterations: 12_500, trainBatch: 1024, select: 'test' });
  expect(printed.at(-1)).toMatch(
    /^linear by the paper's protocol: shorter side 256 bicubic, centre 224 x 224; dinov2-linear crops of 0.08 to 1 of the area; /,
  );
  const given: { resize: number; c?: readonly number[] } = { resize: 256 };
  const logreg = follow({ ...asked, task: 'logreg', paper: PAPER_LOGREG, given });
  expect(logreg).toMatchObject({ resize: 256, notes: ["logreg: not the paper's: --resize 256 in place of 224"] });
  expect(printed.find((line) => line.startsWith('logreg'))).toMatch(/--c \(45 values from 0.000001 to 100000\)/);
  const small = { ...asked, input: { size: 32, patchSize: 8 } };
  expect(follow({ ...small, task: 'logreg', paper: PAPER_LOGREG, given: {} })).toMatchObject({
    resize: 32,
    notes: ["logreg: not the paper's: --size 32 in place of 224"],
  });
});

test('without a protocol nothing is told of it', async () => {
  const [record] = await evaluate('linear-seg', '--epochs', '1');
  expect(record!.hyper).toMatchObject({ settings: 'own', crops: 'none', order: 'drawn over all images' });
  expect(record!.notes!.filter((note) => /paper/.test(note))).toEqual([]);
});

test('low-shot: means over draws and over lists', async () => {
  const list = join(folder, 'names.txt');
  await writeFile(list, 'p1\np3\n');
  const [half, quarter] = await evaluate('in-context', '--shots', '1/2,1/4');
  expect([half!.variant, quarter!.variant]).toEqual(['1/2 of train', '1/4 of train']);
  expect(half!.hyper).toMatchObject({ trainImages: [4, 4, 4, 4, 4], memoryPatches: [64, 64, 64, 64, 64] });
  expect(half!.seeds).toEqual([42, 400, 783, 1293, 4019]);
  const [listed] = await evaluate('in-context', '--train-names', list);
  expect(listed).toMatchObject({ variant: 'listed train', hyper: { trainImages: [2], memoryPatches: [32] } });
});

test.each([
  [['linear-seg', '--resize', '40'], /unknown option '--resize'/],
  [['entropy', '--resize', '40'], /unknown option '--resize'/],
  [['linear-seg', '--augment'], /give --select test, or --no-augment/],
  [['in-context', '--shots', '1/1'], /expected shares such as 1\/8/],
  [['in-context', '--shots', '1/2', '--train-names', 'x'], /--shots or --train-names, not both/],
])('%s is refused', async (args, message) => {
  const written = vi.spyOn(process.stderr, 'write').mockImplementation((text) => printed.push(`${text}`) > 0);
  expect(await runCli(['eval', args[0]!, ...common, ...args.slice(1)])).toBe(2);
  written.mockRestore();
  expect(printed.join('\n')).toMatch(message);
});
