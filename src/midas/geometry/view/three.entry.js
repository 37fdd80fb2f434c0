// The parts of three 0.187.0 (MIT, three-LICENSE.txt) that viewer.js uses. three.min.js is made of them:
//   npm install three@0.187.0 esbuild
//   npx esbuild three.entry.js --bundle --minify --format=iife --global-name=THREE --legal-comments=inline --outfile=three.min.js
export { Scene, PerspectiveCamera, WebGLRenderer, Color, Box3, Vector3, PointsMaterial, SRGBColorSpace,
  LinearSRGBColorSpace, NoToneMapping } from "three";
export { OrbitControls } from "three/addons/controls/OrbitControls.js";
export { GLTFLoader } from "three/addons/loaders/GLTFLoader.js";
