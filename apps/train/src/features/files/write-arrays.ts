/** Features written as arrays: safetensors, NumPy's `.npz`, and `.npy` with a JSON beside it. No more than one piece of one array is in memory. */
import { type TensorEntry, writeFileAtomic, writeNpy, writeNpz, writeSafetensors } from '@franca/checkpoint';
import { besideNpy } from './tensor-features';
import type { WrittenFeatures } from './written-features';

/** Bytes of names in the header, of which readers of safetensors take some megabytes at most. */
const MOST_NAMES = 2 ** 22;

/** Of very many images the names, which no header has room for, are a tensor `images` [bytes] with the same JSON. */
export async function writeAsSafetensors(path: string, features: WrittenFeatures): Promise<number> {
  const { names, classes, notes, texts } = features;
  const json = Buffer.from(JSON.stringify(names));
  const fits = json.length <= MOST_NAMES;
  const images: TensorEntry = { name: 'images', dtype: 'u8', shape: [json.length], data: json };
  const { bytes } = await writeSafetensors(path, [...entries(features), ...(fits ? [] : [images])], {
    ...texts,
    notes: JSON.stringify(notes),
    classes: JSON.stringify(classes),
    ...(fits && { images: `${json}` }),
  });
  return bytes;
}

/** Arrays as in safetensors; names, classes and notes are arrays of texts, and what else is known texts of no dimension. */
export async function writeAsNpz(path: string, features: WrittenFeatures): Promise<number> {
  const { names, classes, notes, texts } = features;
  const lists = Object.entries({ images: names, classes, notes }).map(([name, list]) => ({ name, texts: list }));
  const single = Object.entries(texts).map(([name, text]) => ({ name, texts: text }));
  return (await writeNpz(path, [...entries(features), ...lists, ...single])).bytes;
}

/** CLS tokens alone, as `np.load` gives them at once; names, labels and what else is known are in the JSON of the same name. */
export async function writeAsNpy(path: string, features: WrittenFeatures): Promise<number> {
  const { names: images, classes, notes, texts } = features;
  const labels = Array.from(features.labels);
  const json = Buffer.from(`${JSON.stringify({ ...texts, notes, classes, labels, images })}\n`);
  await writeFileAtomic(besideNpy(path), (sink) => sink(json));
  return (await writeNpy(path, entries(features)[0]!)).bytes;
}

function entries(features: WrittenFeatures): TensorEntry[] {
  const { outputs, shape, pieces, labels } = features;
  return [
    ...outputs.map((name): TensorEntry => ({ name, dtype: 'f32', shape: shape(name), data: () => pieces(name) })),
    { name: 'labels', dtype: 'i32', shape: [labels.length], data: labels },
  ];
}
