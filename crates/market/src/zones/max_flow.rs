//! Maximum flow between zones by shortest augmenting paths in levels (Dinic).

use std::collections::VecDeque;

/// A directed residual graph; each arc lies beside its reverse.
pub(super) struct MaxFlow {
    /// Arcs by tail.
    leaving: Vec<Vec<usize>>,
    head: Vec<usize>,
    /// What an arc can still take.
    room: Vec<i128>,
    level: Vec<u32>,
    next: Vec<usize>,
}

const UNSEEN: u32 = u32::MAX;

impl MaxFlow {
    pub(super) fn new(nodes: usize) -> Self {
        Self {
            leaving: vec![Vec::new(); nodes],
            head: Vec::new(),
            room: Vec::new(),
            level: vec![UNSEEN; nodes],
            next: vec![0; nodes],
        }
    }

    /// Adds an arc without room; returns its number.
    pub(super) fn arc(&mut self, tail: usize, head: usize) -> usize {
        let arc = self.head.len();
        for (place, from, to) in [(arc, tail, head), (arc + 1, head, tail)] {
            self.leaving[from].push(place);
            self.head.push(to);
            self.room.push(0);
        }
        arc
    }

    /// Gives an arc its capacity and no flow.
    pub(super) fn set(&mut self, arc: usize, capacity: i128) {
        self.room[arc] = capacity;
        self.room[arc ^ 1] = 0;
    }

    /// Lets an arc take more than before; what flows stays.
    pub(super) fn widen(&mut self, arc: usize, more: i128) {
        self.room[arc] += more;
    }

    pub(super) fn room(&self, arc: usize) -> i128 {
        self.room[arc]
    }

    pub(super) fn flow(&self, arc: usize) -> i128 {
        self.room[arc ^ 1]
    }

    /// Augments until nothing more flows; what flows out of the source is never taken back.
    pub(super) fn run(&mut self, source: usize, sink: usize) {
        while self.measure(source, sink) {
            self.next.fill(0);
            while self.augment(source, sink) {}
        }
    }

    /// Returns the nodes that room leads to from the source.
    pub(super) fn reached(&mut self, source: usize) -> Vec<bool> {
        self.measure(source, usize::MAX);
        self.level.iter().map(|&level| level != UNSEEN).collect()
    }

    /// Returns the nodes from which room leads to the sink.
    pub(super) fn reaching(&self, sink: usize) -> Vec<bool> {
        let mut seen = vec![false; self.leaving.len()];
        seen[sink] = true;
        let mut waiting = VecDeque::from([sink]);
        while let Some(node) = waiting.pop_front() {
            for &arc in &self.leaving[node] {
                let tail = self.head[arc];
                if self.room[arc ^ 1] > 0 && !seen[tail] {
                    seen[tail] = true;
                    waiting.push_back(tail);
                }
            }
        }
        seen
    }

    /// Numbers the nodes by their distance from the source; false if the sink has none.
    fn measure(&mut self, source: usize, sink: usize) -> bool {
        self.level.fill(UNSEEN);
        self.level[source] = 0;
        let mut waiting = VecDeque::from([source]);
        while let Some(node) = waiting.pop_front() {
            for &arc in &self.leaving[node] {
                let head = self.head[arc];
                if self.room[arc] > 0 && self.level[head] == UNSEEN {
                    self.level[head] = self.level[node] + 1;
                    waiting.push_back(head);
                }
            }
        }
        self.level.get(sink).is_some_and(|&level| level != UNSEEN)
    }

    /// Pushes along one path of rising levels; false if there is none left.
    fn augment(&mut self, source: usize, sink: usize) -> bool {
        let mut path: Vec<usize> = Vec::new();
        let mut node = source;
        while node != sink {
            if let Some(arc) = self.onward(node) {
                path.push(arc);
                node = self.head[arc];
            } else if let Some(arc) = path.pop() {
                node = self.head[arc ^ 1];
                self.next[node] += 1;
            } else {
                return false;
            }
        }
        let most = path.iter().map(|&arc| self.room[arc]).min().unwrap_or(0);
        for arc in path {
            self.room[arc] -= most;
            self.room[arc ^ 1] += most;
        }
        true
    }

    /// Returns the next arc out of a node that still leads a level on.
    fn onward(&mut self, node: usize) -> Option<usize> {
        while let Some(&arc) = self.leaving[node].get(self.next[node]) {
            let deeper = self.level[self.head[arc]] == self.level[node].wrapping_add(1);
            if self.room[arc] > 0 && deeper {
                return Some(arc);
            }
            self.next[node] += 1;
        }
        None
    }
}
