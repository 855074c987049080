export * from '../../src/policy/reference';
