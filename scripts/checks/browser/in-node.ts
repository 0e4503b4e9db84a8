/**
 * The counterpart of the page in Node: computes the same and writes it as JSON. Arguments: the file to write, and where there is a
 * classifier its files of weights and of pictures.
 */
import { openAsBlob, writeFileSync } from 'node:fs';
import { openGpu } from '@franca/tensor/node';
import { numbers } from './numbers';

const [output = '', weights, pictures] = process.argv.slice(2);
const classifier =
  weights && pictures ? { weights: await openAsBlob(weights), pictures: await openAsBlob(pictures) } : undefined;
await using gpu = await openGpu({ tuning: false });
writeFileSync(output, JSON.stringify(await numbers(gpu, classifier)));
