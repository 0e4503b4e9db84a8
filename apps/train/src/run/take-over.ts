/**
 * The state of a fork, from a checkpoint of another run. Tensors of equal shape are taken as they are: weights of student and teacher, Adam moments, corrections,
 * loss scale, centres. For another crop size the position table is resampled as `highres` does, and its moments start over: the mean of gradients at 0, that of
 * their squares at its average over positions, so that the first steps are no larger than those before.
 */
import type { RunCheckpoint } from '@franca/checkpoint';
import { initialLossScale } from '@franca/nn';
import { SAVED_GROUPS } from '@franca/pretraining';
import type { State } from '@franca/tensor';
import { resampleTable } from './position-table';
import { otherModel } from './state-io';

const POSITIONS = 'backbone.pos_embed';

/** Fills the state; returns what did not go over as it was, in words. @throws TrainError `config` where the checkpoint is of another model */
export async function takeOver(checkpoint: RunCheckpoint, state: State): Promise<string[]> {
  const notes: string[] = [];
  for (const group of SAVED_GROUPS) {
    await using file = await checkpoint.openTensors(group);
    const { segments } = state.layout[group]!;
    for (const [name, { shape }] of Object.entries(segments)) {
      const saved = file.tensors.get(name)?.shape;
      if (saved?.join() === shape.join()) state.write(group, name, await file.readFloat32(name));
      else if (saved && name === POSITIONS) {
        state.write(group, name, positionsFor(group, await file.readFloat32(name), saved, shape));
        if (group === 'student')
          notes.push(
            `positions resampled from ${gridOf(saved)} x ${gridOf(saved)} to ${gridOf(shape)} x ${gridOf(shape)}, their Adam moments start over`,
          );
      } else if (!saved && group === 'optimizer') {
        if (name === 'loss_scale') state.write(group, name, initialLossScale());
        notes.push(`${name} starts anew: the run before had none`);
      } else throw otherModel(`${group} ${name}`, saved, shape);
    }
    for (const [name, { shape }] of file.tensors) {
      if (Object.hasOwn(segments, name)) continue;
      if (group !== 'optimizer') throw otherModel(`${group} ${name}`, shape, undefined);
      notes.push(`${name} is left behind: this run has none`);
    }
  }
  return notes;
}

/** Side of the grid of a table [1, 1 + n^2, D]. */
const gridOf = ([, count]: readonly number[]): number => Math.round(Math.sqrt(count! - 1));

function positionsFor(
  group: (typeof SAVED_GROUPS)[number],
  table: Float32Array,
  saved: readonly number[],
  wanted: readonly number[],
): Float32Array {
  const D = saved[2]!;
  if (group === 'student' || group === 'teacher') return resampleTable(table, gridOf(saved), gridOf(wanted), D);
  const moments = new Float32Array(wanted[1]! * D);
  moments.set(table.subarray(0, D));
  if (group !== 'v') return moments;
  const rows = saved[1]! - 1;
  for (let d = 0; d < D; d++) {
    let sum = 0;
    for (let row = 1; row <= rows; row++) sum += table[row * D + d]!;
    for (let row = 1; row < wanted[1]!; row++) moments[row * D + d] = sum / rows;
  }
  return moments;
}
