/**
 * npm run evals-deit-tiny --workspace bench [-- --out <file>] [--shared <folder>]
 *
 * Runs `franca-train eval` and `franca-train rasa` on the published DeiT-Tiny and on the same architecture untrained, and
 * records every result beside independent figures of the same weights (`reference.json`). Weights and photographs lie in
 * `shared/data` beside the checkout. What decides the numbers is fixed here; features are cached between runs.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { EvalRecord } from '@franca/evals';

const root = fileURLToPath(new URL('../..', import.meta.url));
const { values: options } = parseArgs({
  options: {
    out: { type: 'string', default: join(root, 'bench/results/evals-deit-tiny.json') },
    shared: { type: 'string', default: process.env.FRANCA_SHARED ?? resolve(root, '../shared') },
  },
});
const data = (name: string): string => join(resolve(options.shared), 'data', name);
const deit = data('deit-tiny/deit_tiny_patch16_224.safetensors');

/** Images and classes of the independent figures: 60 and 40 of each class, 250 and 100 photographs, seven strong classes. */
const classification = ['-d', data('imagenette-128'), '--images', '600,400'];
const dense = ['-d', data('voc-animals-256'), '--images', '250,100'];
const animals = ['--classes', '0,8,10,12,13,15,17'];

/** Ten videos at the side that they lie in, and Probe3D's linear head as the independent figures have it. */
const videos = ['-d', data('davis-mini'), '--size', '320'];
const depth = ['-d', data('nyu-depth'), '--protocol', 'probe3d-2025'];
const linearHead = ['--probe', 'linear', '--no-augment'];

const folder = mkdtempSync(join(tmpdir(), 'evals-deit-tiny-'));

/** What `franca-train` writes with `--json`. */
function records(...args: string[]): EvalRecord[] {
  const json = join(folder, 'records.json');
  const cli = ['--import', 'tsx', join(root, 'apps/train/src/cli.ts')];
  const { status } = spawnSync(process.execPath, [...cli, ...args, '--json', json], { cwd: root, stdio: 'inherit' });
  if (status !== 0) throw new Error(`franca-train ${args.join(' ')} ended with ${status}`);
  return JSON.parse(readFileSync(json, 'utf8')) as EvalRecord[];
}

const knn = (...model: string[]): EvalRecord[] => records('eval', 'knn', '-w', ...model, ...classification, '-k', '20');
const inContext = (...model: string[]): EvalRecord[] =>
  records('eval', 'in-context', '-w', ...model, ...dense, ...animals);
const video = (model: string): EvalRecord[] => records('eval', 'video', '-w', model, ...videos);
const depths = (model: string): EvalRecord[] => [
  ...records('eval', 'depth', '-w', model, ...depth, ...linearHead),
  ...records('eval', 'depth', '-w', model, ...depth, '--probe', 'ridge'),
];

interface Figures {
  readonly deit_tiny: Record<string, number>;
  readonly random_init_same_architecture: Record<string, number>;
}
const figures = JSON.parse(readFileSync(data('deit-tiny/reference.json'), 'utf8')) as Figures;
const independent = (name: string) =>
  JSON.parse(readFileSync(join(resolve(options.shared), 'reference/eval-references', name), 'utf8'));
const [ofVideos, ofDepth] = [independent('vos.json'), independent('depth.json')];
const reference = (model: keyof Figures) => {
  const features = model === 'deit_tiny' ? 'f32' : 'random';
  return {
    knn: figures[model]['imagenette-128 kNN20 (60/class train, 40/class val)'],
    'in-context-segmentation': figures[model]['  mIoU over those 7'],
    'video-segmentation': ofVideos[`vos-dev-320-${features}`].JF_mean as number,
    'depth, linear head': ofDepth[features].si_rmse as number,
    'depth, ridge': ofDepth[features].ridge.si_rmse as number,
  };
};

interface Part {
  readonly reference?: ReturnType<typeof reference>;
  readonly records: readonly EvalRecord[];
}
/** Times depend on what else the machine does, and are not what is compared here. */
const withoutTime = ({ wallMs: _, ...result }: EvalRecord): Omit<EvalRecord, 'wallMs'> => result;
const results: Record<string, object> = {};

/** Written part by part, so that an interrupted run keeps what it has. */
function record(model: string, part: Part): void {
  results[model] = { ...part, records: part.records.map(withoutTime) };
  writeFileSync(options.out, `${JSON.stringify(results, null, 2)}\n`);
}

try {
  mkdirSync(dirname(options.out), { recursive: true });
  record('DeiT-Tiny', {
    reference: reference('deit_tiny'),
    records: [...knn(deit), ...inContext(deit), ...video(deit), ...depths(deit)],
  });
  record('RASA of DeiT-Tiny', { records: records('rasa', '-w', deit, ...dense, '-o', folder) });
  const heads = ['--rasa', join(folder, 'rasa_head.safetensors')];
  record('DeiT-Tiny + RASA', { records: [...knn(deit, ...heads), ...inContext(deit, ...heads)] });
  const random = `random:${deit}`;
  record('random initialisation', {
    reference: reference('random_init_same_architecture'),
    records: [...knn(random), ...inContext(random), ...video(random), ...depths(random)],
  });
  console.log(`wrote ${options.out}`);
} finally {
  rmSync(folder, { recursive: true });
}
