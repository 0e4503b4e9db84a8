/**
 * npm run continue --workspace bench [-- --data flowers5-128] [--out <file>] [--shared <folder>] [overrides...]
 *
 * What `franca-train pretrain --config continue` makes of the published DeiT-Tiny on photographs of `shared/data`: the k-NN curve of the run, of the same recipe
 * from scratch for as many steps, and the untouched weights as a line, with the two standard errors of each difference. Recorded with both commands.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const root = fileURLToPath(new URL('../..', import.meta.url));
const { values: options, positionals: overrides } = parseArgs({
  options: {
    data: { type: 'string', default: 'flowers5-128' },
    out: { type: 'string' },
    shared: { type: 'string', default: process.env.FRANCA_SHARED ?? resolve(root, '../shared') },
  },
  allowPositionals: true,
});
const shared = (name: string): string => join(resolve(options.shared), 'data', name);
const out = options.out ?? join(root, `bench/results/continue-${options.data}.json`);

/** The architecture of DeiT-Tiny, which the run from weights takes from them; nothing that is trained is there to be frozen or spared. */
const SCRATCH = [
  'student.arch=vit_tiny',
  'student.patch_size=16',
  'student.ffn_layer=mlp',
  'student.layerscale=0',
  'franca.freeze_backbone_epochs=0',
  'franca.backbone_lr_mult=1',
];
const RUNS: Readonly<Record<string, readonly string[]>> = {
  continued: ['--from', shared('deit-tiny/deit_tiny_patch16_224.safetensors')],
  scratch: SCRATCH,
};

interface Row {
  readonly step: number;
  readonly knn?: number;
  readonly knn_pixels?: number;
}

const folder = mkdtempSync(join(tmpdir(), 'continue-'));
const wordsOf = (name: string, data: string, run: string): string[] => {
  const start = RUNS[name]!;
  return ['pretrain', '--config', 'continue', '--data', data, '--out', run, ...start, ...overrides];
};

/** One run: its k-NN readings by step, and what its last reading says against its start. */
function record(name: string) {
  const run = join(folder, name);
  const words = wordsOf(name, shared(options.data), run);
  const cli = ['--import', 'tsx', join(root, 'apps/train/src/cli.ts')];
  const { status } = spawnSync(process.execPath, [...cli, ...words], { cwd: root, stdio: 'inherit' });
  if (status !== 0) throw new Error(`franca-train ${words.join(' ')} ended with ${status}`);
  const rows = readFileSync(join(run, 'metrics.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Row);
  const readings = rows.filter(({ knn }) => knn !== undefined);
  const outcome = JSON.parse(readFileSync(join(run, 'outcome.json'), 'utf8'));
  const { images, k, classes, chance, start, pixels } = outcome.knn;
  return {
    command: `franca-train ${wordsOf(name, options.data, 'run')
      .map((word) => word.replace(`${shared('')}/`, ''))
      .join(' ')}`,
    knn: readings.map(({ step, knn }) => ({ step, share: knn })),
    start,
    best: outcome.best,
    sentence: outcome.sentence,
    measured: { k, images, classes, chance, pixels: pixels.share },
  };
}

try {
  mkdirSync(dirname(out), { recursive: true });
  const results: Record<string, unknown> = {
    data: options.data,
    weights: 'DeiT-Tiny, published, trained with labels of ImageNet-1k',
  };
  // written run by run, so that an interrupted one keeps what it has
  for (const name of Object.keys(RUNS)) {
    const { measured, ...run } = record(name);
    results.measured = measured;
    results[name] = run;
    if (name === 'continued') results.untouched = run.knn[0]!.share;
    writeFileSync(out, `${JSON.stringify(results, null, 2)}\n`);
  }
  console.log(`wrote ${out}`);
} finally {
  rmSync(folder, { recursive: true });
}
