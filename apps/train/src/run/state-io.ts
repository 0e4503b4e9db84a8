/**
 * Device state to and from checkpoints. Every group of state becomes a group of tensors under its official names, read off the device one at a time while it
 * is written, so that no second copy of the state exists in memory. Values are stored as they are: a resumed run continues with the same bits.
 */
import { type RunCheckpoint, writeSafetensors } from '@franca/checkpoint';
import { stateEntries } from '@franca/nn';
import type { State } from '@franca/tensor';
import { TrainError } from '../errors';

/** Writes all tensors of a checkpoint's group into the state. @throws TrainError `config` where the checkpoint is of another model than the configuration */
export async function loadGroup(checkpoint: RunCheckpoint, state: State, group: string): Promise<void> {
  await using file = await checkpoint.openTensors(group);
  const { segments } = state.layout[group]!;
  for (const name of new Set([...Object.keys(segments), ...file.tensors.keys()])) {
    const [saved, wanted] = [file.tensors.get(name)?.shape, segments[name]?.shape];
    if (saved?.join() !== wanted?.join()) throw otherModel(`${group} ${name}`, saved, wanted);
  }
  for (const name of Object.keys(segments)) state.write(group, name, await file.readFloat32(name));
}

/** @param saved shape in the checkpoint @param wanted that of the configuration */
export function otherModel(
  name: string,
  saved: readonly number[] | undefined,
  wanted: readonly number[] | undefined,
): TrainError {
  const shown = (shape: readonly number[] | undefined) => (shape ? `[${shape.join(', ')}]` : 'absent');
  return new TrainError(
    'config',
    `the checkpoint is of another model than the configuration: ${name} is ${shown(saved)} there and ${shown(wanted)} here; without --config a run continues with its own configuration`,
  );
}

/** Writes the backbone of a group as a file of its own, under plain names, ready for `@franca/vit`. */
export async function exportBackbone(
  path: string,
  state: State,
  group: string,
  metadata: Readonly<Record<string, string>>,
): Promise<void> {
  const prefix = 'backbone.';
  const entries = stateEntries(state, group)
    .filter(({ name }) => name.startsWith(prefix))
    .map((entry) => ({ ...entry, name: entry.name.slice(prefix.length) }));
  await writeSafetensors(path, entries, metadata);
}
