/** Shared WGSL, each snippet whole with what it needs. Shaders append them behind their own code. */
import fixedCode from './fixed.wgsl?raw';
import floatCode from './float.wgsl?raw';
import philoxCode from './philox.wgsl?raw';
import wideCode from './wide.wgsl?raw';

/** log and exp of known accuracy */
export const FLOAT = floatCode;
/** counter-based random numbers */
export const PHILOX = [philoxCode, wideCode].join('\n');
/** exact sums, and exponentials of any size; includes FLOAT */
export const FIXED = [fixedCode, wideCode, floatCode].join('\n');
