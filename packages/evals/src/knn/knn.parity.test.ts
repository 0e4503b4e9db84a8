import { expect, test } from 'vitest';
import { checkParity, parityFile, recordParity } from '../../../../test/support/parity';
import { cpuBackend } from '../backend/cpu';
import type { LabelledFeatures } from '../features';
import { matrix } from '../matrix';
import { knn } from './knn';
import { nearestItems } from './nearest-items';
import { neighbourVote } from './neighbour-vote';

const file = parityFile('eval_knn');
const { classes, dim, nb_knn: ks, temperature, top1 } = file.config;
const read = (split: string): LabelledFeatures => ({
  dim,
  cls: file.floats(split),
  labels: file.ints(`${split}_labels`),
});
const tolerance = { absolute: 1e-5 };

test('neighbours, votes and accuracy are those of the official k-NN', async () => {
  const train = read('train');
  const testSet = read('test');
  const { neighbours, labels } = await nearestItems(cpuBackend, train, matrix(testSet.cls, dim), {
    k: Math.max(...ks),
  });
  checkParity(file, 'similarities', neighbours.scores, file.floats('topk_sims'), tolerance);
  const votes = neighbourVote(neighbours, labels, { ks, temperature, classes });
  const { scores } = await knn(train, testSet, { ks, temperature, classes });
  for (const [i, k] of ks.entries()) {
    const official = file.floats(`probs.k${k}`);
    checkParity(file, `votes k=${k}`, votes[i]!, official, tolerance);
    const wrong = clearlyWrong(votes[i]!, official);
    recordParity(file.name, `predictions k=${k} wrong`, wrong === 0 ? 0 : Number.POSITIVE_INFINITY);
    expect(wrong).toBe(0);
    // Only an item whose two best classes are that close may count differently.
    const items = testSet.labels.length;
    expect(Math.abs(scores[i]!.top1 - top1[k]) * items).toBeLessThan(nearTies(official) + 0.01);
  }
});

/** Items whose best class differs although the official margin over the second best exceeds the tolerance. */
function clearlyWrong(votes: Float64Array, official: Float32Array): number {
  let wrong = 0;
  for (let i = 0; i < votes.length; i += classes) {
    const theirs = [...official.subarray(i, i + classes)];
    const ours = [...votes.subarray(i, i + classes)];
    const [first, second] = theirs.toSorted((a, b) => b - a);
    if (first! - second! > 1e-5 && ours.indexOf(Math.max(...ours)) !== theirs.indexOf(first!)) wrong++;
  }
  return wrong;
}

/** Items whose two best classes are closer than the tolerance. */
function nearTies(official: Float32Array): number {
  let ties = 0;
  for (let i = 0; i < official.length; i += classes) {
    const [first, second] = [...official.subarray(i, i + classes)].toSorted((a, b) => b - a);
    if (first! - second! <= 1e-5) ties++;
  }
  return ties;
}
