export { type DinoLoss, dinoLoss, type Level, swapViews } from './dino';
export { LossError, type LossErrorCode } from './errors';
export { ibotLoss } from './ibot';
export { type KoleoRanks, koleoLoss, koleoOverRanks, nearestNeighbours } from './koleo';
export { type LossTerms, type LossWeights, OFFICIAL_WEIGHTS, type TotalLoss, totalLoss } from './total';
