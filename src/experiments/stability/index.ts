/** The stability study: its design, what its runs say, and the claims that are judged by them. */
export * from './study';
export * from './measure';
export { STABILITY_CLAIMS, judgeStability } from './claims';
