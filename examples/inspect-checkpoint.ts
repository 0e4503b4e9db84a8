/**
 * Prints what is in a file of weights: a table of tensors, then what it is as an official Franca or DINOv2 checkpoint.
 *
 *   npx tsx examples/inspect-checkpoint.ts model.safetensors|model.safetensors.index.json|model.pth
 */
import { CheckpointError, openCheckpoint, splitOfficial, type TensorSource } from '@franca/checkpoint';

const [path = 'fixtures/pth/teacher.pth'] = process.argv.slice(2);

function printTable({ tensors }: TensorSource): void {
  const width = Math.max(...[...tensors.keys()].map((name) => name.length));
  let bytes = 0;
  for (const { name, dtype, shape, byteLength } of tensors.values()) {
    bytes += byteLength;
    console.log(`${name.padEnd(width)}  ${dtype.padEnd(4)}  [${shape.join(', ')}]`);
  }
  console.log(`\n${tensors.size} tensors, ${(bytes / 2 ** 20).toFixed(2)} MiB`);
}

function printOfficial(source: TensorSource): void {
  try {
    console.log('as an official checkpoint:', splitOfficial(source).report);
  } catch (error) {
    console.log('not an official checkpoint:', (error as CheckpointError).message);
  }
}

try {
  await using file = await openCheckpoint(path);
  for (const note of file.notes) console.log(note);
  printTable(file);
  printOfficial(file);
} catch (error) {
  if (!(error instanceof CheckpointError)) throw error;
  console.error(`${error.code}: ${error.message}`);
  process.exitCode = 1;
}
