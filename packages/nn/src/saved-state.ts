/**
 * State to and from files of named tensors. What `stateEntries` gives, `writeSafetensors` of `@franca/checkpoint` writes, one tensor in memory at a time;
 * what `openCheckpoint` gives, `loadState` reads. Values are kept as they are (f16 widens to f32), so a training that is continued continues with the same bits.
 */
import { type DType, type State, type StateSpec, TensorError } from '@franca/tensor';

/** A tensor to be written. */
export interface StateEntry {
  readonly name: string;
  readonly dtype: 'f32' | 'u32' | 'i32';
  readonly shape: readonly number[];
  readonly data: () => Promise<Float32Array | Int32Array | Uint32Array>;
}

/** An open file of tensors. */
export interface StateFile {
  readonly tensors: ReadonlyMap<string, { readonly shape: readonly number[] }>;
  readFloat32(name: string): Promise<ArrayLike<number>>;
  /** In the stored type. */
  read(name: string): Promise<ArrayLike<number> | ArrayLike<bigint>>;
}

/** Where a tensor lies, and what it is called in a file. */
interface Place {
  readonly group: string;
  readonly tensor: string;
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: DType;
}

/** Entries of one group under its own names, or of the whole state as `group/name`. Throws `TensorError` where there is no such group. */
export const stateEntries = <G extends StateSpec>(state: State<G>, group?: keyof G & string): StateEntry[] =>
  placesOf(state, group).map(({ group, tensor, name, shape, dtype }) => ({
    name,
    shape,
    dtype: dtype === 'f16' ? 'f32' : dtype,
    data: () => (state as State).read(group, tensor),
  }));

/**
 * Writes what `stateEntries` gave back into a group, or into the whole state. Throws `TensorError` with code `state`, before anything is written, where the
 * file's names or shapes are not those of the state.
 */
export async function loadState<G extends StateSpec>(
  state: State<G>,
  file: StateFile,
  group?: keyof G & string,
): Promise<void> {
  const places = placesOf(state, group);
  const wanted = new Map(places.map(({ name, shape }) => [name, shape]));
  for (const name of new Set([...wanted.keys(), ...file.tensors.keys()])) {
    const [there, here] = [file.tensors.get(name)?.shape, wanted.get(name)];
    if (there?.join() !== here?.join())
      throw new TensorError('state', `"${name}" is ${shown(there)} in the file and ${shown(here)} in the state`);
  }
  for (const { group, tensor, name, dtype } of places) {
    const isInteger = dtype === 'u32' || dtype === 'i32';
    const values = isInteger ? Array.from(await file.read(name), Number) : await file.readFloat32(name);
    (state as State).write(group, tensor, values);
  }
}

const shown = (shape: readonly number[] | undefined): string => (shape ? `[${shape.join(', ')}]` : 'absent');

function placesOf<G extends StateSpec>({ layout }: State<G>, only: string | undefined): Place[] {
  const groups = Object.entries<State['layout'][string]>(layout).filter(
    // copies follow what they are of
    ([group, { copyOf }]) => (only === undefined ? copyOf === undefined : group === only),
  );
  if (only !== undefined && groups.length === 0)
    throw new TensorError('state', `no group "${only}"; groups are ${Object.keys(layout).join(', ')}`);
  return groups.flatMap(([group, { segments }]) =>
    Object.entries(segments).map(([tensor, { shape, dtype }]) => {
      return { group, tensor, name: only === undefined ? `${group}/${tensor}` : tensor, shape, dtype };
    }),
  );
}
