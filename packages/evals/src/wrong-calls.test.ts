/** Calls as plain JavaScript can make them: each is named by this package's own error, none runs on in silence or breaks inside. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import * as evals from './index';
import * as node from './node';

type AnyCall = (...args: readonly unknown[]) => unknown;
type AsyncCall = (...args: readonly unknown[]) => Promise<unknown>;
const { EvalsError, cpuBackend } = evals;
const functions: ReadonlyMap<string, AnyCall> = new Map(
  Object.entries({ ...evals, ...node }).flatMap(([name, value]) =>
    typeof value === 'function' && value !== EvalsError ? [[name, value as AnyCall]] : [],
  ),
);
const call: AsyncCall = async (name, ...args) => functions.get(String(name))!(...args);

const values = Float32Array.from({ length: 192 }, (_, i) => Math.sin(13 * i));
const labels = Int32Array.from({ length: 12 }, (_, i) => i % 3);
const F = { dim: 4, cls: values.subarray(0, 48), labels };
const masks = Uint8Array.from({ length: 192 }, (_, i) => i % 3);
const S = { dim: 4, grid: [2, 2], patches: values, maskSize: [4, 4], masks };
const cell = { dim: 4, grid: [1, 1], patches: values.subarray(0, 4) };
const attention = { grid: [1, 2], heads: 3, attention: new Float32Array(6).fill(1) };
const P = { dim: 4, blocks: [F.cls], labels };
const stored = { ...P, blocks: 1, patchMean: false, read: () => P };
const classifier = { weight: { data: values.subarray(0, 12), rows: 3, cols: 4 }, bias: new Float32Array(3) };
const probe = { name: 'x', input: { blocks: 1, avgpool: false }, classifier };
const points = { data: F.cls, rows: 12, cols: 4 };
const depthSize = [2, 2];
const depth = { dim: 4, grid: [1, 1], levels: [values.subarray(0, 4)], depthSize, depths: values.subarray(0, 4) };
const sets = { inside: F, outside: { a: F } };

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'franca-wrong-calls-'));
  await writeFile(join(folder, 'file'), 'text');
});
afterAll(() => rm(folder, { recursive: true }));

const NO_ARGUMENTS: readonly (readonly unknown[])[] = [[], [undefined], [null], [5], ['a', 'b', 'c'], [{}, {}, {}]];
// An empty series of masks and a folder of any name are no mistakes, and a backend has no wrong name.
const FINE = new Set(['cacheRoom a,b,c', 'listFeatures a,b,c', 'openFeatureCache a,b,c']);

test.each([...functions.keys()])('%s: arguments of another kind', async (name) => {
  for (const args of NO_ARGUMENTS) {
    if (FINE.has(`${name} ${args}`)) continue;
    await expect(call(name, ...args), `${name}(${args})`).rejects.toBeInstanceOf(EvalsError);
  }
});

const wide = { ...F, dim: 2, labels: new Int32Array(24) };
test.each<[RegExp, ...unknown[]]>([
  [/^knn: there is no option "k"; options are ks, /, 'knn', F, F, { k: 5 }],
  [/^knn: ks is 5; it must be an array of numbers/, 'knn', F, F, { ks: 5 }],
  [/^knn: temperature is "0.07"; it must be a number/, 'knn', F, F, { temperature: '0.07' }],
  [/^knn: options are 5; give an object/, 'knn', F, F, 5],
  [/^knn: backend is none; give cpuBackend/, 'knn', F, F, { backend: {} }],
  [/^knn: progress.load is no function; give a ProgressKeeper/, 'knn', F, F, { progress: {} }],
  [/ks is \[1.5\]/, 'knn', F, F, { ks: [1.5] }],
  [/^knn: test is a Promise; await it/, 'knn', F, Promise.resolve(F)],
  [/^knn: train is a Promise; await it/, 'knn', Promise.resolve(F), F],
  [/^knn: train is a Float32Array; .* a set has dim, cls, labels/, 'knn', F.cls, F],
  [/^knn: train \(a batch\).cls is undefined/, 'knn', [{ dim: 4, labels }], F],
  [/^knn: test.labels is an Array; it must be an Int32Array; Int32Array.from/, 'knn', F, { ...F, labels: [...labels] }],
  [/^knn: test.cls is a Float64Array/, 'knn', F, { ...F, cls: new Float64Array(48) }],
  [/shots is undefined/, 'knnFewShot', F, F, {}],
  [/no option "learning_rates", it is called learningRates/, 'linearProbe', P, P, { learning_rates: [1] }],
  [/^linearProbe: test.blocks is a Float32Array/, 'linearProbe', P, { ...P, blocks: F.cls }],
  [/select is "validation"; it must be 'train-holdout'/, 'linearProbe', P, P, { select: 'validation' }],
  [/select.validation.dim is undefined/, 'linearProbe', P, P, { select: { validation: {} } }],
  [/^linearProbe: test.read is "x"; it must be a function/, 'linearProbe', P, { ...stored, read: 'x' }],
  [/memory is -1; it must be a number of bytes/, 'linearProbe', P, P, { memory: -1 }],
  [/^linearProbe: progress.load is no function/, 'linearProbe', P, P, { progress: {} }],
  [/^chosenRows: features.blocks is an Array/, 'chosenRows', P, new Int32Array(1)],
  [/^chosenRows: rows is .1.; it must be an Int32Array/, 'chosenRows', stored, [1]],
  [/^inMemory: features.blocks is an Array/, 'inMemory', P],
  [/reads 4 blocks, the features have 1/, 'scoreProbe', { ...probe, input: { blocks: 4, avgpool: false } }, P],
  [/^scoreProbe: probe.input is undefined/, 'scoreProbe', classifier, P],
  [/label -1 is none of 3 classes/, 'scoreProbe', probe, { ...P, labels: new Int32Array(12).fill(-1) }],
  [/^linearSegmentation: test.masks is undefined/, 'linearSegmentation', S, { ...S, masks: undefined }, { classes: 3 }],
  [/absent is "none"; it must be one of zero, skip/, 'linearSegmentation', S, S, { classes: 3, absent: 'none' }],
  [/^checkRegressionRoom: dim is undefined/, 'checkRegressionRoom', 'a regression', 5],
  [/metric is "top1"; it must be one of top-1/, 'logisticRegression', F, F, { metric: 'top1' }],
  [/test.grid is \[2\]; it must be rows and columns/, 'inContextSegmentation', S, { ...S, grid: [2] }, { classes: 3 }],
  [/memory is { patches: undefined/, 'inContextSegmentation', S, S, { classes: 3, memory: {} }],
  [/match is "majority"/, 'overclustering', S, { classes: 3, match: 'majority' }],
  [/^positionDecodability: train.grid is undefined/, 'positionDecodability', F, S],
  [/there is no control lda/, 'truncationCurve', F, F, { controls: ['lda'] }],
  [/there is no score mahal; scores are msp/, 'oodDetection', { train: F }, sets, { scores: ['mahal'] }],
  [/reference: there is no option "trained"/, 'oodDetection', { trained: F }, sets],
  [/sets.outside.dim is 4; it must be an object/, 'oodDetection', { train: F }, { inside: F, outside: F }],
  [/need equal widths, got 2 and 4/, 'oodDetection', { classifier }, { inside: wide, outside: { a: F } }],
  [/^kMeans: there is no option "n_init"/, 'kMeans', cpuBackend, points, { clusters: 3, seed: 0, n_init: 2 }],
  [/^momentsOf: backend is none/, 'momentsOf', points, cpuBackend],
  [/no option "ignore_index"/, 'pooledCounts', cpuBackend, { classes: 3, ignore_index: 255 }],
  [/label 5 is none of 3 classes/, 'tally', [0, 1], [0, 5], 3],
  [/1 predictions for 2 labels/, 'tally', [0], [0, 1], 3],
  [/recall is 95/, 'falsePositiveRate', { positive: [1], negative: [0] }, 95],
  [/only names 4/, 'meanIou', [0.5], 'zero', [4]],
  [/a mask of 2 patches for a 2 x 2 grid/, 'countVisible', [[0, 1]], [2, 2]],
  [/^tokenCut: the features are of 12 pictures; give one at a time/, 'tokenCut', S],
  [/^tokenCut: there is no option "threshold"; options are tau, eps/, 'tokenCut', cell, { threshold: 0.2 }],
  [/^tokenCut: tau is 1; a cosine must be able to lie above it/, 'tokenCut', cell, { tau: 1 }],
  [/^tokenCut: eps is 0; it must lie between 0 and 1/, 'tokenCut', cell, { eps: 0 }],
  [/products are of 2 patches, the features of 1; give patchProducts/, 'tokenCut', cell, { products: { size: 2 } }],
  [/products.size is undefined/, 'lost', cell, { products: {} }],
  [/^lost: k is 0; it must be a positive integer/, 'lost', cell, { k: 0 }],
  [/no option "normalize"/, 'lost', cell, { normalize: true }],
  [/^lost.patches is undefined/, 'lost', { ...cell, patches: undefined }],
  [/head is 3, the model has 3; give one of 0 .. 2/, 'dinoSeg', attention, { head: 3 }],
  [/5 values of attention for 3 heads of 1 x 2 patches/, 'dinoSeg', { ...attention, attention: values.subarray(0, 5) }],
  [/attention holds -/, 'dinoSeg', { ...attention, attention: values.subarray(6, 12) }],
  [/^dinoSeg.heads is undefined/, 'dinoSeg', { ...attention, heads: undefined }],
  [/^boxOfCells: \[0,0\] with patch size 16/, 'boxOfCells', [0, 0], 16, { width: 8, height: 8 }],
  [/a box of the boxes is \[0,0,1\]/, 'iou', [0, 0, 1], [0, 0, 1, 1]],
  [/a box of truth is 5; it must be an array of numbers/, 'isHit', [0, 0, 1, 1], [5]],
  [/^corLoc: results\[0\].truth is undefined/, 'corLoc', [{ box: [0, 0, 1, 1], otherBoxes: [] }]],
  [/run.protocol is "cut"; it must be one of tokencut, lost/, 'discoveryOutcome', {}, { protocol: 'cut' }],
  [/^matchPoints: source.grid is undefined/, 'matchPoints', F, S, [[0, 0]]],
  [/^matchPoints: points\[0\] is 0.5; it must be an array of numbers/, 'matchPoints', cell, cell, [0.5]],
  [/^matchPair: pair is undefined/, 'matchPair', cell, cell, undefined, 224],
  [/^drawPairs: there is no option "per_bin", it is called perBin/, 'drawPairs', [], { per_bin: 5 }],
  [/^correspondence: classes is undefined/, 'correspondence', new Map(), [], {}],
  [/^regionSimilarity: masks of 4 and 3 pixels/, 'regionSimilarity', masks.subarray(0, 4), masks.subarray(0, 3)],
  [/a mask of 4 pixels is not of size \[2,3\]/, 'boundaryMap', masks.subarray(0, 4), [2, 3]],
  [/^boundaryAccuracy: size is 2; it must be an array of numbers/, 'boundaryAccuracy', masks, masks, 2],
  [/^sequenceStatistics: values is 0.5/, 'sequenceStatistics', 0.5],
  [/^scoredFrames: scoring is "davis"; it must be one of davis-2017/, 'scoredFrames', 'davis', {}],
  [/^scoreObjects: objects is 2; it must be an array of numbers/, 'scoreObjects', masks, masks, [12, 16], 2],
  [/^firstFrameMaps: objects are \[0\]; give ids from 1/, 'firstFrameMaps', masks, [12, 16], [2, 2], [0]],
  [/there is no option "patch_size", it is called patchSize/, 'decodeMaps', values, [2, 2], { patch_size: 16 }],
  [/first.features is undefined/, 'openLabelPropagation', cpuBackend, {}],
  [/no option "temp"/, 'openLabelPropagation', cpuBackend, { features: cell, maps: values }, { temp: 1 }],
  [/run.scoring is undefined/, 'videoOutcomes', [], { protocol: 'dino' }],
  [
    /^trainDepthProbe: there is no option "batch_size", it is called batchSize/,
    'trainDepthProbe',
    {},
    () => [],
    { batch_size: 8 },
  ],
  [
    /stepsPerEpoch is 0; it must be a positive integer/,
    'trainDepthProbe',
    {},
    () => [],
    { protocol: 'probe3d', stepsPerEpoch: 0 },
  ],
  [/dinov3 has no head dpt/, 'trainDepthProbe', {}, () => [], { protocol: 'dinov3', head: 'dpt', stepsPerEpoch: 1 }],
  [/there is no batch to learn from/, 'trainDepthProbe', {}, () => [], { protocol: 'probe3d', stepsPerEpoch: 1 }],
  [/protocol is "probe3d-2026"; it must be one of/, 'openDepthPredictor', {}, { protocol: 'probe3d-2026' }],
  [/^fitDepthRidge: train.depths has 3 values/, 'fitDepthRidge', { ...depth, depths: values.subarray(0, 3) }],
  [
    /train.levels\[1\] has 3 values/,
    'fitDepthRidge',
    { ...depth, levels: [values.subarray(0, 4), values.subarray(0, 3)] },
  ],
  [/lambda is 0; it must be above 0/, 'fitDepthRidge', depth, { lambda: 0 }],
  [/1 levels of 4; the ridge reads 8 features/, 'predictDepthRidge', { weight: [], inputs: 8 }, depth],
  [
    /^depthMetrics: 4 predicted depths for 8 measured ones/,
    'depthMetrics',
    values.subarray(0, 4),
    values.subarray(0, 8),
  ],
  [/4 depths are no map of 2 x 3/, 'judgedDepth', 'probe3d', values.subarray(0, 4), [2, 3]],
  [/images are what depthMetrics returns/, 'depthOutcomes', [{}], { protocol: 'ridge' }],
  [/each must be 2 x 3/, 'mirroredMean', values.subarray(0, 4), values.subarray(0, 4), [2, 3]],
  [/matrix: data is a Float64Array/, 'matrix', new Float64Array(4), 2],
  [/knn: test/, 'knnFewShot', F, {}, { shots: 1 }],
  [/hitItems: 2 predictions for 1 labels/, 'hitItems', [1, 2], [1]],
  [/classHitItems: 2 predictions for 1 labels/, 'classHitItems', [1, 2], [1]],
  [/valueItems: the number of item 1 is NaN/, 'valueItems', [1, Number.NaN]],
  [/scoreItems: a score is NaN/, 'scoreItems', [1], [Number.NaN]],
  [/countItems: classes is undefined/, 'countItems', [[0, 1, 1, 1]], {}],
  [/no option "confidence"/, 'pairedDifference', evals.valueItems([1]), evals.valueItems([1]), { confidence: 0.9 }],
  [/their kind is undefined/, 'itemsValue', {}],
  [/subject.dataset is undefined/, 'evalRecord', {}, { value: 1 }],
  [/no option "colour"/, 'formatTable', [], { colour: true }],
])('%s', async (message, ...args) => {
  await expect(call(...args)).rejects.toThrow(message);
  await expect(call(...args)).rejects.toBeInstanceOf(EvalsError);
});

test('files that cannot be read or written are named', async () => {
  const cases = [
    [() => node.hashFile(join(folder, 'none')), /none cannot be read \(ENOENT\)/],
    [() => node.hashFile(folder), /cannot be read \(EISDIR\)/],
    [() => node.fingerprintFiles(folder, ['none']), /none cannot be read \(ENOENT\)/],
    [() => cache.write(key, { a: { shape: [1], data: new Float32Array(1) } }), /cannot be made \(ENOTDIR\)/],
  ] as const;
  const cache = node.openFeatureCache(join(folder, 'file'));
  const key = { weights: 'w', preprocessing: 'p', data: 'd', outputs: 'o', code: 'c' };
  for (const [run, message] of cases) {
    await expect(run()).rejects.toThrow(message);
    await expect(run()).rejects.toMatchObject({ code: 'file' });
  }
  await expect(
    call('openFeatureCache', folder).then((opened) => Reflect.get(opened as object, 'read')({ weights: 'w' })),
  ).rejects.toThrow(/key.preprocessing is undefined/);
});
