import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { programWords } from '../src/text/program';
import { run } from './in-process';
import { freshRun, newestTensors, tinyData, tinyOverrides } from './tiny-run';

const STEPS = 6;
let folder: string;
let half: string;
let whole: Record<string, string>;

beforeAll(async () => {
  // a space, as in many names of folders
  folder = await mkdtemp(join(tmpdir(), 'franca refusals-'));
  half = join(folder, 'half');
  const fresh = ['pretrain', '-c', 'cpu-tiny', '--data', tinyData, ...tinyOverrides(STEPS)];
  const done = await run(...fresh, '--out', join(folder, 'whole'));
  expect(done.status, done.output).toBe(0);
  whole = await newestTensors(join(folder, 'whole'));
  expect((await run(...fresh, '--out', half, '--stop-after', '3')).status).toBe(0);
  await writeFile(join(folder, 'broken.pth'), 'no checkpoint');
  await mkdir(join(folder, 'own'));
  await writeFile(join(folder, 'own', 'config.yaml'), '# by hand\n');
  await mkdir(join(folder, 'photos'));
  const picture = await sharp({ create: { width: 40, height: 32, channels: 3, background: '#369' } })
    .png()
    .toBuffer();
  for (let at = 0; at < 20; at++) await writeFile(join(folder, 'photos', `${at}.png`), picture);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Hash of every file, by its path; folders too. */
async function contents(path: string): Promise<Record<string, string>> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  const pairs = entries.map(async (entry): Promise<[string, string]> => {
    const file = join(entry.parentPath, entry.name);
    return [
      file,
      entry.isFile()
        ? createHash('sha256')
            .update(await readFile(file))
            .digest('hex')
        : 'folder',
    ];
  });
  return Object.fromEntries(await Promise.all(pairs));
}

const resume = (...more: string[]) => ['pretrain', '--resume', '--out', half, ...more];
const fork = (...more: string[]) => ['pretrain', '--fork', half, '--out', join(folder, 'new'), ...more];
const fresh = (...more: string[]) => freshRun(join(folder, 'new'), ...more);

const REFUSED: [what: string, words: () => string[], message: string][] = [
  ['another seed', () => resume('train.seed=1'), 'train.seed 0 -> 1; fork it to go on from step 3'],
  ['another length', () => resume('optim.epochs=12'), 'optim.epochs 6 -> 12; fork it'],
  ['another batch', () => resume('train.batch_size_per_gpu=8'), 'train.batch_size_per_gpu 4 -> 8'],
  ['another rate', () => resume('optim.base_lr=1'), 'optim.base_lr 0.006 -> 1'],
  ['another k', () => resume('franca.knn.k=5'), 'franca.knn.k 20 -> 5'],
  [
    'another augmentation',
    () => resume('franca.augment.flip_probability=0'),
    'franca.augment.flip_probability 0.5 -> 0',
  ],
  ['another preset', () => resume('-c', 'gpu-small'), 'makes another model'],
  ['another model', () => resume('franca.vit.num_heads=4'), 'franca.vit.num_heads 2 -> 4 makes another model'],
  ['other weights', () => resume('student.pretrained_weights=x.pth'), 'a run that goes on has weights'],
  ['a misspelt setting', () => resume('train.sed=1'), 'did you mean "train.seed"?'],
  ['as many other pictures', () => resume('--data', 'world:length=48:size=40'), `the data were ${tinyData} and are`],
  ['fewer pictures', () => resume('--data', 'world:length=40:size=32'), 'there were 48 pictures and are 40'],
  ['no data', () => resume('--data', join(folder, 'none')), 'none'],
  ['no such adapter', () => resume('--adapter', 'abacus'), 'abacus'],
  ['a run in the way', () => ['pretrain', '-c', 'cpu-tiny', '--data', tinyData, '--out', half], 'already holds a run'],
  ['a file of somebody else', () => ['pretrain', '--out', join(folder, 'own')], 'holds no run but a config.yaml'],
  ['a file in the way', () => ['pretrain', '--out', join(folder, 'broken.pth')], 'there is a file in its place'],
  ['a fork into its parent', () => ['pretrain', '--fork', half, '--out', half], 'already holds a run'],
  [
    'a fork of no run',
    () => ['pretrain', '--fork', folder, '--out', join(folder, 'new')],
    'no checkpoint to fork from',
  ],
  ['a fork at no checkpoint', () => fork('--at', '1'), 'no checkpoint of step 1; there are 2, 3'],
  [
    'a fork of another model',
    () => fork('ibot.head_hidden_dim=48', 'train.seed=2'),
    'ibot.head_hidden_dim 32 -> 48 makes',
  ],
  ['a fork with no step left', () => fork('optim.epochs=3'), 'step 3 is past the last of 3'],
  ['a fork with no pictures', () => fork('--data', join(folder, 'none')), 'none'],
  ['a fork and a resume', () => fork('--resume'), 'give one of them'],
  ['a new run of no weights', () => fresh('student.pretrained_weights=none.pth'), 'none.pth'],
  [
    'a new run of wrong weights',
    () => ['highres', '--from', join(folder, 'broken.pth'), ...fresh().slice(1)],
    'broken.pth',
  ],
  [
    'a new run that does not fit',
    () => fresh('dino.head_n_prototypes=90000000', 'franca.small_batch=false'),
    'largest buffer',
  ],
  [
    'a run among its pictures',
    () => ['pretrain', '-c', 'cpu-tiny', '--data', join(folder, 'photos'), '--out', join(folder, 'photos', 'a', 'b')],
    'give an --out outside of the data',
  ],
  ['a resume of nothing', () => ['pretrain', '--resume', '--out', join(folder, 'new')], 'holds no run to resume'],
  [
    'features over the teacher',
    () => ['features', '-w', half, '-d', 'world:length=4', '--out', join(half, 'teacher.safetensors')],
    'would replace what is read',
  ],
  [
    'an evaluation that could not be written',
    () => ['eval', 'knn', '-w', half, '-d', 'world:length=4', '--json', join(folder, 'none', 'knn.json')],
    'there is no folder',
  ],
  ['planes into a file', () => ['rasa', '-w', half, '-d', 'world', '--out', join(half, 'report.html')], 'is a file'],
  ['looks into a file', () => ['show', '-w', half, 'a.jpg', '--out', join(half, 'report.html', 'x')], 'is a file'],
  ['a broken file', () => ['import', join(folder, 'broken.pth'), '--out', half], 'broken.pth'],
];

test.each(REFUSED)('%s is refused, and not a byte changes', async (_, words, message) => {
  const before = await contents(folder);
  const { status, output } = await run(...words());
  expect(status, output).toBeGreaterThan(0);
  expect(output).toContain(message);
  expect(await contents(folder)).toEqual(before);
});

test('a configuration that was edited by hand is found out, with both ways on', async () => {
  const file = join(half, 'config.yaml');
  const text = await readFile(file, 'utf8');
  await writeFile(file, text.replace('  seed: 0', '  seed: 7'));
  const { output } = await run(...resume());
  expect(output).toContain('train.seed 0 -> 7; fork it');
  expect(output).toContain(
    `${file} was edited since, so this goes on as before: ${programWords().join(' ')} pretrain --resume --out '${half}' train.seed=0`,
  );
  await writeFile(file, text);
});

test('after all of that the run goes on, with the bits of one that was left alone; free settings may change', async () => {
  const { status, output } = await run(...resume('franca.checkpoint.keep_last=3'));
  expect(status, output).toBe(0);
  expect(await newestTensors(half)).toEqual(whole);
  expect(existsSync(join(folder, 'new'))).toBe(false);
});

test('a run whose checkpoints are all damaged is not started over', async () => {
  const run2 = join(folder, 'whole');
  for (const name of await readdir(join(run2, 'checkpoints')))
    await writeFile(join(run2, 'checkpoints', name, 'student.safetensors'), '');
  const before = await contents(run2);
  const { output } = await run('pretrain', '--resume', 'auto', '--out', run2);
  expect(output).toMatch(/no usable checkpoint to resume from: .*damaged.*move the folder away/s);
  expect(await contents(run2)).toEqual(before);
});

test('the command that a refusal advises can be pasted', async () => {
  const { output } = await run(...resume('optim.epochs=12', 'crops.global_crops_scale=[0.6, 1]'));
  const [, advice] = /in a new folder: .*franca-train (.*)$/m.exec(output)!;
  const words = execFileSync('sh', ['-c', `printf '%s\\n' ${advice}`], { encoding: 'utf8' })
    .trimEnd()
    .split('\n');
  const forked = await run(...words, '--stop-after', '7');
  expect(forked.status, forked.output).toBe(0);
  expect(forked.output).toContain('changed: optim.epochs 6 -> 12, crops.global_crops_scale [0.5,1] -> [0.6,1]');
  expect((await newestTensors(`${half}-fork`)).checkpoint).toBe('step-00000007');
});
