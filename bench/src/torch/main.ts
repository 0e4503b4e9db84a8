/**
 * npm run bench:torch [-- --preset cpu-tiny] [--device cuda] [--steps <n>] [--python <program>] [--json <file>] [key=value...]
 *
 * The training step of a preset as `franca-train` compiles it, beside the same step in plain PyTorch (`step.py`): same weights, same batch,
 * same arithmetic. The losses of the first three steps must agree before anything is timed.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import {
  initialisePretraining,
  type PretrainOptions,
  pretrainGroups,
  pretrainRule,
  pretrainSignature,
  pretrainStep,
} from '@franca/pretraining';
import { compile, createState, type Shape, sizeOf } from '@franca/tensor';
import { openGpu } from '@franca/tensor/node';
import { derive, loadConfig } from 'franca-train';
import { inputValues } from '../case';
import { watchOtherLoad } from '../machine-load';
import { median, time } from '../measure';

const { values: flags, positionals: overrides } = parseArgs({
  allowPositionals: true,
  options: {
    preset: { type: 'string', default: 'cpu-tiny' },
    device: { type: 'string', default: 'cpu' },
    steps: { type: 'string', default: '5' },
    python: { type: 'string' },
    json: { type: 'string' },
  },
});
// losses of f32 after two updates; f16 rounds to 11 bits
const TOLERANCE = { f32: 1e-3, f16: 2e-2 };

type Named = Record<string, Float32Array<ArrayBuffer>>;

/** Python that has PyTorch, if any. */
function findPython(): string | undefined {
  const candidates = flags.python ? [flags.python] : ['python3', '/usr/bin/python3'];
  return candidates.find((program) => spawnSync(program, ['-c', 'import torch']).status === 0);
}

/** A batch whose masks fill the list of masked patches, so that neither side computes padding. */
function makeBatch(options: PretrainOptions): Named {
  const { batch: shapes } = pretrainSignature(options);
  const [crops, N] = shapes.masks.shape as [number, number];
  const { bound } = options.masks;
  const masked = Math.ceil(crops / 2);
  // crop i of the masked ones gets patches i, i + masked, ... of the list
  const counts = Array.from({ length: masked }, (_, i) => Math.ceil((bound - i) / masked));
  const masks = new Float32Array(crops * N);
  const indices = counts.flatMap((count, i) => Array.from({ length: count }, (_, j) => i * N + ((j * 5 + i) % N)));
  const unique = [...new Set(indices)];
  if (unique.length !== bound) throw new Error(`masks of ${N} patches do not fill a list of ${bound}`);
  for (const index of unique) masks[index] = 1;
  const values: Named = {
    masks,
    maskIndices: Float32Array.from(unique),
    masksWeight: Float32Array.from(unique, (index) => 1 / counts[Math.floor(index / N)]!),
  };
  Object.entries(shapes).forEach(([name, { shape }], i) => {
    if (name.startsWith('kept.')) values[name] = Float32Array.from({ length: sizeOf(shape) }, (_, j) => j);
    else if (!(name in values)) values[name] = images(shape, i);
  });
  return values;
}

/** Noise on waves of a frequency per image: tokens of different images must differ by more than rounding. */
function images(shape: Shape, seed: number): Float32Array<ArrayBuffer> {
  const size = sizeOf(shape.slice(1));
  return inputValues(shape, seed).map(
    (noise, i) => noise + Math.sin((i % size) * 0.01 * (1 + (Math.floor(i / size) % 37))),
  );
}

function writeInputs(folder: string, options: PretrainOptions, groups: Record<string, Named>, knobs: object): void {
  const shapes: Record<string, Record<string, { shape: Shape }>> = {
    ...pretrainGroups(options),
    batch: pretrainSignature(options).batch,
  };
  const parts: Float32Array[] = [];
  let offset = 0;
  const tensors = Object.fromEntries(
    Object.entries(groups).map(([group, values]) => [
      group,
      Object.entries(values).map(([name, data]) => {
        const entry = [name, shapes[group]![name]!.shape, offset];
        parts.push(data);
        offset += data.length;
        return entry;
      }),
    ]),
  );
  const rules = Object.fromEntries(Object.keys(groups.student!).map((name) => [name, pretrainRule(name, options)]));
  writeFileSync(join(folder, 'step.json'), JSON.stringify({ options, knobs, rules, tensors }));
  writeFileSync(
    join(folder, 'step.bin'),
    Buffer.concat(parts.map((part) => Buffer.from(part.buffer, part.byteOffset, part.byteLength))),
  );
}

interface TorchReport {
  readonly losses: readonly number[];
  readonly milliseconds: number;
  readonly processor: number;
  readonly version: string;
  readonly threads: number;
  readonly device: string;
}

function runTorch(python: string, folder: string): TorchReport {
  const script = fileURLToPath(new URL('step.py', import.meta.url));
  const args = [script, folder, '--device', flags.device, '--steps', flags.steps];
  const { status, stdout, stderr } = spawnSync(python, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${python} ${script} failed:\n${stderr}`);
  return JSON.parse(stdout.trim().split('\n').at(-1)!) as TorchReport;
}

async function bench(python: string): Promise<void> {
  await using gpu = await openGpu({ robustness: false });
  const f16 = gpu.target.family === 'gpu' && gpu.target.f16;
  const options = derive(loadConfig([flags.preset], overrides).config, { size: 1, rank: 0, f16 });
  if (options.centering !== 'sinkhorn_knopp' || options.batch.accumulation > 1)
    throw new Error('step.py knows Sinkhorn-Knopp and one micro-step per update only');
  const { schedule } = options;
  const knobs = {
    lr: schedule.lr,
    lastLayerLr: schedule.lr,
    weightDecay: schedule.weightDecay[0],
    momentum: schedule.momentum[0],
    teacherTemp: schedule.teacherTemp[0],
    nMasked: options.masks.bound,
  };
  const batch = makeBatch(options);
  using state = createState(gpu, pretrainGroups(options));
  await initialisePretraining(gpu, state, options, 1);
  const folder = mkdtempSync(join(tmpdir(), 'franca-bench-'));
  try {
    const read = async (group: 'student' | 'teacher'): Promise<Named> => {
      const values: Named = {};
      for (const name of Object.keys(state.layout[group].segments))
        values[name] = Float32Array.from(await state.read(group, name));
      return values;
    };
    writeInputs(folder, options, { student: await read('student'), teacher: await read('teacher'), batch }, knobs);
    using step = await compile(gpu, pretrainStep(options), { ...pretrainSignature(options), state });
    const losses: number[] = [];
    for (let i = 0; i < 3; i++) {
      step.run(i === 0 ? batch : {}, knobs);
      losses.push((await step.read('loss'))[0]!);
    }
    const torch = runTorch(python, folder);
    const difference = Math.max(...losses.map((loss, i) => Math.abs(loss - torch.losses[i]!) / Math.abs(loss)));
    console.log(`loss of three steps: ${losses.join(', ')}; PyTorch ${torch.losses.join(', ')}`);
    if (!(difference <= TOLERANCE[options.precision]))
      throw new Error(`the losses differ by ${difference}: the two steps are not the same`);
    const otherLoad = watchOtherLoad();
    const run = (): Promise<void> => {
      step.run({}, knobs);
      return step.done();
    };
    const samples: { wall: number; processor: number }[] = [];
    for (let i = 0; i < Number(flags.steps); i++) samples.push(await time({ run }, 1));
    const own = {
      milliseconds: median(samples.map(({ wall }) => wall)),
      processor: median(samples.map(({ processor }) => processor)),
    };
    const line = ({ milliseconds, processor }: typeof own) =>
      `${milliseconds.toFixed(0)} ms, ${processor.toFixed(0)} ms of processor time`;
    console.log(`${flags.preset}, ${options.batch.perDevice} images, ${(step.report.flops / 1e9).toFixed(1)} GFLOP`);
    console.log(`engine on ${gpu.target.name}: ${line(own)}`);
    console.log(`PyTorch ${torch.version} on ${torch.device}, ${torch.threads} threads: ${line(torch)}`);
    // on a processor its time is what counts, whatever else the machine does; a GPU's time is on the clock only
    const by = gpu.target.family === 'cpu' && torch.device === 'cpu' ? 'processor' : 'milliseconds';
    const ratio = torch[by] / own[by];
    const verdict = ratio < 1 ? `PyTorch is ${(1 / ratio).toFixed(1)}` : `the engine is ${ratio.toFixed(1)}`;
    console.log(`${verdict} times faster by ${by === 'processor' ? 'processor time' : 'the clock'}`);
    const others = otherLoad();
    console.log(`other processes kept ${others.toFixed(1)} processors busy while the engine was timed`);
    if (flags.json) {
      const report = {
        adapter: gpu.target.name,
        node: process.version,
        date: new Date().toISOString(),
        otherLoad: others,
      };
      const result = {
        ...report,
        preset: flags.preset,
        overrides,
        flops: step.report.flops,
        losses,
        engine: own,
        torch,
      };
      writeFileSync(resolve(process.env.INIT_CWD ?? '.', flags.json), `${JSON.stringify(result, null, 2)}\n`);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const python = findPython();
if (python) await bench(python);
else console.log('skipped: no Python with PyTorch here (Debian: apt-get install python3-torch; or --python <program>)');
