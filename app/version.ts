/** The version of this app, as it stands in reports. */
export { version as VERSION } from '../package.json';
