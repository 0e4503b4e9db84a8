/** The counterpart of the page in Node: computes the same and writes it as JSON to the file that the first argument names. */
import { writeFileSync } from 'node:fs';
import { openGpu } from '@franca/tensor/node';
import { numbers } from './numbers';

await using gpu = await openGpu({ tuning: false });
writeFileSync(process.argv[2] ?? '', JSON.stringify(await numbers(gpu)));
