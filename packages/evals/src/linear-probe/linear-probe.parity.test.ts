import { openGpu } from '@franca/tensor/node';
import { expect, test } from 'vitest';
import { checkParity, parityFile } from '../../../../test/support/parity';
import { cpuBackend } from '../backend/cpu';
import type { EvalBackend } from '../backend/eval-backend';
import { gpuBackend } from '../backend/gpu';
import { takeColumns, takeRows } from '../matrix';
import { type ProbeFeatures, patchMeans, probeColumns, probeRows, shapeOf } from './probe-features';
import { headName, type ProbeHead } from './probe-grid';
import { scoreProbe } from './score-probe';
import { cosine, type ProbeBatch, trainGrid } from './train-grid';

const file = parityFile('eval_linear');
const { classes, dim, batch, iterations, learning_rates, momentum, weight_decay, names, classifiers } = file.config;

function read(split: string): ProbeFeatures {
  const [blocks, rows] = file.shape(`${split}.cls`) as [number, number];
  const cls = file.floats(`${split}.cls`);
  const patches = file.floats(`${split}.patch_last`);
  const grid = [1, file.shape(`${split}.patch_last`)[1]!] as const;
  return {
    dim,
    blocks: Array.from({ length: blocks }, (_, b) => cls.slice(b * rows * dim, (b + 1) * rows * dim)),
    patchMean: patchMeans({ dim, grid, patches }),
    labels: file.ints(`${split}.labels`),
  };
}

const train = read('train');
const testSet = read('test');
const heads: ProbeHead[] = names.map((name: string) => {
  const input = { blocks: classifiers[name].n_blocks, avgpool: classifiers[name].avgpool };
  const baseRate = learning_rates.find((rate: number) => headName(input, (rate * batch) / 256) === name);
  const [start, end] = probeColumns(shapeOf(train), input);
  const weight = { data: file.floats(`${name}.w0`), rows: classes, cols: end - start };
  const initial = { weight, bias: file.floats(`${name}.b0`) };
  return { name, input, baseRate, start, end, learningRate: (baseRate * batch) / 256, initial };
});

test('a classifier reads the columns that the official program concatenates', () => {
  const rows = probeRows(testSet);
  for (const { input, start, end } of heads) {
    const official = `feature.${input.blocks}.${input.avgpool ? 'True' : 'False'}`;
    checkParity(file, official, takeColumns(rows, start, end).data, file.floats(official), { ofMax: 1e-6 });
  }
});

test('one epoch gives the official learning rates, losses, weights and accuracy', () => checkEpoch(cpuBackend));

test('one epoch on a device gives them too', async () => {
  await using gpu = await openGpu();
  using backend = gpuBackend(gpu);
  await checkEpoch(backend);
});

async function checkEpoch(backend: EvalBackend): Promise<void> {
  const rows = probeRows(train);
  const order = file.ints('order');
  function* officialBatches(): Generator<ProbeBatch> {
    for (let i = 0; i < order.length; i += batch) {
      const items = order.subarray(i, i + batch);
      yield { x: takeRows(rows, items), labels: items.map((item) => train.labels[item]!) };
    }
  }
  const losses: number[] = [];
  const rates: number[] = [];
  const trained = await trainGrid(backend, officialBatches(), {
    heads,
    classes,
    iterations,
    momentum,
    weightDecay: weight_decay,
    onStep: (iteration, stepLosses) => {
      losses.push(...stepLosses);
      rates.push(...heads.map(({ learningRate }) => learningRate * cosine(iteration, iterations)));
    },
  });
  checkParity(file, 'lr', rates, file.floats('lr'), { ofMax: 1e-6 });
  checkParity(file, 'loss', losses, file.floats('loss'), { relative: 1e-5 });
  for (const [i, { name, input }] of heads.entries()) {
    checkParity(file, `${name}.w`, trained[i]!.weight.data, file.floats(`${name}.w`), { ofMax: 1e-5 });
    checkParity(file, `${name}.b`, trained[i]!.bias, file.floats(`${name}.b`), { ofMax: 1e-5 });
    const { top1 } = await scoreProbe({ name, input, classifier: trained[i]! }, testSet, { backend });
    expect(top1).toBeCloseTo(classifiers[name].test_top1, 6);
  }
}
