// The best score, kept in this browser where the page may keep anything.
"use strict";

const scores = {
  name: "star-hopper-best",
  read() {
    try {
      return Number(localStorage.getItem(this.name)) || 0;
    } catch {
      return null; // a sandbox without storage
    }
  },
  keep(score) {
    try {
      localStorage.setItem(this.name, Math.max(score, this.read()));
    } catch {
      // then it is forgotten
    }
  },
};
