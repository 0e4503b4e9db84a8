import { countParameters } from '@franca/nn';
import { expect, test } from 'vitest';
import { vitConfig } from './config';
import { vitSpecs } from './specs';

// parameters at 224 and 518 px and state-dict keys of the official models
test.each([
  ['base', 85_737_984, 86_592_768, 175],
  ['large', 303_655_168, 304_794_880, 343],
  ['giant2', 1_134_771_200, 1_136_480_768, 567],
] as const)('%s has the official parameter counts and keys', (size, at224, at518, keys) => {
  expect(countParameters(vitSpecs(vitConfig(size)))).toBe(at224);
  expect(countParameters(vitSpecs(vitConfig(size, { imgSize: 518 })))).toBe(at518);
  expect(Object.keys(vitSpecs(vitConfig(size)))).toHaveLength(keys);
});
