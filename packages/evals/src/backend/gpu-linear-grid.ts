/**
 * Many linear classifiers trained at once on a device, by the same rule as on the CPU but in f32. Weights, biases and
 * momenta stay there; features and labels go in, one loss per head comes out. Heads that read the same columns are
 * stacked, in as many parts as bindings demand. A batch whose logits would be too large is cut into chunks of whole
 * items, whose gradients add up in the momenta: the first chunk also decays them, the last also moves the weights. So
 * one plan serves every chunk of a batch.
 */
import { compile, createState, type Gpu, type State, type Step } from '@franca/tensor';
import { type Matrix, takeColumns } from '../matrix';
import type { LinearClassifier, LinearGridSession, LinearGridSpec, LinearGridState } from './eval-backend';
import { blockOf } from './gpu-tiles';
import { area, countTargets, groupHeads, type HeadGroup, savedPart, stackHeads, unstackHeads } from './linear-grid';
import { gridStep } from './linear-grid-step';
import { planCache } from './plan-cache';

/** Logits of a part and chunk, in elements: 64 MiB, enough to keep a device busy. */
const MAX_LOGITS = 2 ** 24;
/** Chunks that may wait on the queue: each holds a copy of its features. */
const CHUNKS_IN_FLIGHT = 8;

type ChunkStep = Step<
  { x: { shape: number[]; dtype: 'f32' }; labels: { shape: number[]; dtype: 'i32' } },
  { share: []; keep: []; carry: []; decay: []; rate: [] }
>;

/** What fits: stacked heads of `cols` columns, and items of a batch (rows; dense form: images) at that many heads. */
interface Room {
  readonly heads: (cols: number) => number;
  readonly items: (heads: number) => number;
}

function roomFor(gpu: Gpu, { classes, upsample, inputs }: LinearGridSpec): Room {
  const binding = Math.floor(gpu.target.maxBindingBytes / 4);
  const [patches, pixels] = upsample ? [area(upsample.from), area(upsample.to)] : [1, 1];
  // patches outnumber pixels where the upsampling shrinks; after its first half there are rows of `to` by columns of `from`
  const cells = upsample ? Math.max(patches, pixels, upsample.to[0] * upsample.from[1]) : 1;
  const logits = Math.min(binding, Math.max(MAX_LOGITS, cells * classes));
  return {
    heads: (cols) => Math.min(Math.floor(binding / (classes * cols)), Math.floor(logits / (cells * classes))),
    items: (heads) =>
      Math.min(Math.floor(logits / (cells * classes * heads)), Math.floor(binding / (patches * inputs))),
  };
}

/** Whether the grid can be trained on the device: weights and logits of one head and one item fit a binding. */
export function fitsGrid(gpu: Gpu, spec: LinearGridSpec): boolean {
  const room = roomFor(gpu, spec);
  return groupHeads(spec).every(({ start, end }) => room.heads(end - start) >= 1) && room.items(1) >= 1;
}

/** @throws EvalsError `options` */
export function openLinearGrid(gpu: Gpu, spec: LinearGridSpec): LinearGridSession {
  const { heads, upsample } = spec;
  const room = roomFor(gpu, spec);
  const parts = groupHeads(spec).flatMap((group) => splitGroup(group, room.heads(group.end - group.start)));
  const first = Math.min(...heads.map(({ start }) => start));
  const last = Math.max(...heads.map(({ end }) => end));
  const maxItems = room.items(Math.max(...parts.map(({ members }) => members.length)));
  const [patches, pixels] = upsample ? [area(upsample.from), area(upsample.to)] : [1, 1];
  const state = openState(gpu, spec, parts);
  const plans = planCache();

  const compileChunk = (items: number): Promise<ChunkStep> =>
    compile(gpu, gridStep(spec, parts, first), {
      state,
      batch: {
        x: { shape: [items * patches, last - first], dtype: 'f32' },
        labels: { shape: [items * pixels], dtype: 'i32' },
      },
      knobs: { share: [], keep: [], carry: [], decay: [], rate: [] },
    });

  async function step(x: Matrix, labels: Int32Array, rate: number): Promise<Float64Array> {
    const losses = new Float64Array(heads.length);
    const targets = countTargets(spec, x, labels);
    if (targets === 0) return losses;
    const items = x.rows / patches;
    const size = Math.ceil(items / Math.ceil(items / maxItems));
    const plan = await plans.get(`${size}`, () => compileChunk(size));
    const read = last - first === x.cols ? x : takeColumns(x, first, last);
    for (let begin = 0, chunk = 1; begin < items; begin += size, chunk++) {
      const inputs = {
        x: blockOf(read, begin * patches, size * patches),
        labels: chunkLabels(labels.subarray(begin * pixels, (begin + size) * pixels), size * pixels, spec.ignore),
      };
      const isLast = begin + size >= items;
      plan.run(inputs, { share: 1 / targets, ...chunkStart(spec, begin === 0), rate: isLast ? rate : 0 });
      if (chunk % CHUNKS_IN_FLIGHT === 0) await plan.done();
    }
    const inOrderOfParts = await state.read('losses', 'all');
    parts
      .flatMap(({ members }) => members)
      .forEach((member, i) => {
        losses[member] = inOrderOfParts[i]!;
      });
    return losses;
  }

  return {
    step,
    heads: () => readHeads(state, spec, parts),
    save: () => readAll(state, parts),
    load: (saved) => writeAll(state, spec, parts, saved),
    [Symbol.dispose]() {
      plans[Symbol.dispose]();
      state.dispose();
    },
  };
}

/** The first chunk of a batch forgets the losses before it and decays momenta and weights; the others add to it. */
const chunkStart = ({ momentum, weightDecay }: LinearGridSpec, isFirst: boolean) =>
  isFirst ? { keep: 0, carry: momentum, decay: weightDecay } : { keep: 1, carry: 1, decay: 0 };

/** Labels of a chunk, filled up to `size`; those that are ignored, and those past the end, are -1. */
function chunkLabels(labels: Int32Array, size: number, ignore: number | undefined): Int32Array {
  const chunk = new Int32Array(size).fill(-1);
  chunk.set(labels);
  return ignore === undefined ? chunk : chunk.map((label) => (label === ignore ? -1 : label));
}

function splitGroup({ start, end, members }: HeadGroup, limit: number): HeadGroup[] {
  const count = Math.ceil(members.length / limit);
  const size = Math.ceil(members.length / count);
  return Array.from({ length: Math.ceil(members.length / size) }, (_, i) => ({
    start,
    end,
    members: members.slice(i * size, (i + 1) * size),
  }));
}

/** Weights, biases, their momenta and the losses; the tensors of part `i` are named `i`. */
function openState(gpu: Gpu, spec: LinearGridSpec, parts: readonly HeadGroup[]): State {
  const { heads, classes } = spec;
  const perPart = (shape: (rows: number, cols: number) => number[]) =>
    Object.fromEntries(
      parts.map(({ members, start, end }, i) => [
        i,
        { shape: shape(members.length * classes, end - start), dtype: 'f32' as const },
      ]),
    );
  const weights = perPart((rows, cols) => [rows, cols]);
  const biases = perPart((rows) => [rows]);
  const losses = { all: { shape: [heads.length], dtype: 'f32' as const } };
  const state = createState(gpu, { weights, weightMomenta: weights, biases, biasMomenta: biases, losses });
  try {
    parts.forEach((part, i) => {
      const { weight, bias } = stackHeads(spec, part);
      state.write('weights', `${i}`, weight);
      state.write('biases', `${i}`, bias);
    });
  } catch (error) {
    state.dispose();
    throw error;
  }
  return state;
}

async function readHeads(
  state: State,
  { classes }: LinearGridSpec,
  parts: readonly HeadGroup[],
): Promise<LinearClassifier[]> {
  const out: LinearClassifier[] = [];
  for (const [i, { members }] of parts.entries()) {
    const weight = (await state.read('weights', `${i}`)) as Float32Array;
    const bias = (await state.read('biases', `${i}`)) as Float32Array;
    unstackHeads({ weight, bias }, classes).forEach((classifier, j) => {
      out[members[j]!] = classifier;
    });
  }
  return out;
}

/** Groups of the state that steps change. */
const CHANGED = ['weights', 'weightMomenta', 'biases', 'biasMomenta'] as const;

async function readAll(state: State, parts: readonly HeadGroup[]): Promise<LinearGridState> {
  const saved: Record<string, Float32Array> = {};
  for (const i of parts.keys())
    for (const group of CHANGED) saved[`${group} ${i}`] = (await state.read(group, `${i}`)) as Float32Array;
  return saved;
}

function writeAll(
  state: State,
  { classes }: LinearGridSpec,
  parts: readonly HeadGroup[],
  saved: LinearGridState,
): void {
  for (const [i, { members, start, end }] of parts.entries())
    for (const group of CHANGED) {
      const rows = members.length * classes;
      const length = group.startsWith('weight') ? rows * (end - start) : rows;
      state.write(group, `${i}`, savedPart(saved, `${group} ${i}`, Float32Array, length));
    }
}
