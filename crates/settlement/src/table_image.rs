//! Tables as the bytes of a database file, which SQLite reads as they lie.
//!
//! A row that is handed to SQLite from Python costs more than SQLite needs to store it. So the rows of
//! a post are laid out here as a database of their own: SQLite takes it whole, and copies its tables
//! into the journal by one statement each.
//!
//! # Invariants
//! The image is whole and well-formed whatever the rows are: SQLite's `integrity_check` finds nothing.
//! The same tables make the same bytes.
//!
//! # Limits
//! 2^32 - 1 pages of 4 KiB; a row of 2^31 bytes, which is SQLite's own.
//!
//! # Cost
//! One pass over the rows; the image holds them once.
//!
//! # Source
//! SQLite project, "Database File Format", <https://www.sqlite.org/fileformat2.html>, sections 1.3
//! (header), 1.6 (b-tree pages), 1.6.1 (overflow) and 2.1 (records).

const PAGE: usize = 4_096;
const LEAF_HEADER: usize = 8;
const INTERIOR_HEADER: usize = 12;
const FILE_HEADER: usize = 100;
const LEAF: u8 = 13;
const INTERIOR: u8 = 5;
/// Most of a row that its leaf holds without overflow, and least of one with (section 1.6).
const LOCAL_MAX: usize = PAGE - 35;
const LOCAL_MIN: usize = (PAGE - 12) * 32 / 255 - 23;
const OVERFLOW: usize = PAGE - 4;

/// One value of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cell<'a> {
    /// Nothing.
    Null,
    /// A number.
    Int(i64),
    /// A text.
    Text(&'a str),
    /// Bytes.
    Blob(&'a [u8]),
}

/// Returns the kind of a number, and how many bytes it takes (section 2.1).
const fn kind_of(number: i64) -> (u8, usize) {
    let magnitude = if number < 0 { !number } else { number };
    match 65 - magnitude.leading_zeros() {
        ..=8 => match number {
            0 => (8, 0),
            1 => (9, 0),
            _ => (1, 1),
        },
        9..=16 => (2, 2),
        17..=24 => (3, 3),
        25..=32 => (4, 4),
        33..=48 => (5, 6),
        _ => (6, 8),
    }
}

/// A row as its leaf holds it: its length and its number, the kinds of its values, the values.
#[derive(Debug, Default)]
struct Row {
    kinds: Vec<u8>,
    values: Vec<u8>,
    cell: Vec<u8>,
}

impl Row {
    /// Lays a row out in `cell`; returns where it begins there, behind its length and number.
    fn lay_out(&mut self, number: u64, cells: &[Cell<'_>]) -> usize {
        let Self {
            kinds,
            values,
            cell,
        } = self;
        kinds.clear();
        values.clear();
        for value in cells {
            match *value {
                Cell::Null => kinds.push(0),
                Cell::Int(number) => {
                    let (kind, length) = kind_of(number);
                    kinds.push(kind);
                    // Always eight bytes, of which those that are not needed are cut off again.
                    let end = values.len() + length;
                    let highest_first = number.rotate_right(8 * length as u32);
                    values.extend_from_slice(&highest_first.to_be_bytes());
                    values.truncate(end);
                }
                Cell::Text(text) => {
                    push_varint(kinds, 13 + 2 * text.len() as u64);
                    values.extend_from_slice(text.as_bytes());
                }
                Cell::Blob(bytes) => {
                    push_varint(kinds, 12 + 2 * bytes.len() as u64);
                    values.extend_from_slice(bytes);
                }
            }
        }
        // The header's length counts itself, in a second byte from 128 on.
        let header = kinds.len() + if kinds.len() < 0x7f { 1 } else { 2 };
        cell.clear();
        push_varint(cell, (header + values.len()) as u64);
        push_varint(cell, number);
        let begin = cell.len();
        push_varint(cell, header as u64);
        cell.extend_from_slice(kinds);
        cell.extend_from_slice(values);
        begin
    }
}

/// Tables in the making.
#[derive(Debug)]
pub struct TableImage {
    pages: Vec<u8>,
    /// Name, columns and root of each table that is done.
    tables: Vec<(String, String, u32)>,
}

/// A table in the making: its rows stand in the order in which they come.
#[derive(Debug)]
pub struct TableRows<'a> {
    image: &'a mut TableImage,
    name: String,
    columns: String,
    /// Leaves that are done, each with its last row.
    leaves: Vec<(u32, u64)>,
    leaf: Page,
    rows: u64,
    row: Row,
}

/// A page of a b-tree: cells from its end, the places of the cells behind its header.
#[derive(Debug)]
struct Page {
    bytes: Vec<u8>,
    cells: usize,
    header: usize,
    /// Where the cells begin.
    begin: usize,
}

impl Page {
    fn new(kind: u8, header: usize) -> Self {
        let mut bytes = vec![0; PAGE];
        bytes[0] = kind;
        Self {
            bytes,
            cells: 0,
            header,
            begin: PAGE,
        }
    }

    fn has_room(&self, length: usize) -> bool {
        self.header + 2 * (self.cells + 1) + length <= self.begin
    }

    /// Adds a cell that there is room for.
    fn push(&mut self, cell: &[u8]) {
        self.begin -= cell.len();
        self.bytes[self.begin..][..cell.len()].copy_from_slice(cell);
        let place = self.header + 2 * self.cells;
        self.bytes[place..place + 2].copy_from_slice(&(self.begin as u16).to_be_bytes());
        self.cells += 1;
    }

    /// Writes how many cells there are and where they begin.
    fn finish(&mut self) -> &[u8] {
        self.bytes[3..5].copy_from_slice(&(self.cells as u16).to_be_bytes());
        self.bytes[5..7].copy_from_slice(&(self.begin as u16).to_be_bytes());
        &self.bytes
    }
}

impl Default for TableImage {
    fn default() -> Self {
        Self {
            // The first page lists the tables and is written last.
            pages: vec![0; PAGE],
            tables: Vec::new(),
        }
    }
}

impl TableImage {
    /// Begins a table.
    ///
    /// `columns` names them as SQL does, with commas between; a column has no type of its own.
    pub fn table(&mut self, name: &str, columns: &str) -> TableRows<'_> {
        TableRows {
            image: self,
            name: name.to_owned(),
            columns: columns.to_owned(),
            leaves: Vec::new(),
            leaf: Page::new(LEAF, LEAF_HEADER),
            rows: 0,
            row: Row::default(),
        }
    }

    /// Appends a page and returns its number, counted from 1.
    fn append(&mut self, page: &[u8]) -> u32 {
        self.pages.extend_from_slice(page);
        self.pages
            .resize(self.pages.len().next_multiple_of(PAGE), 0);
        (self.pages.len() / PAGE) as u32
    }

    /// Lays out what a leaf has no room for; returns the first of its pages.
    fn overflow(&mut self, rest: &[u8]) -> u32 {
        let first = (self.pages.len() / PAGE) as u32 + 1;
        let pages = rest.len().div_ceil(OVERFLOW) as u32;
        for (next, part) in (first + 1..).zip(rest.chunks(OVERFLOW)) {
            let next = if next < first + pages { next } else { 0 };
            self.pages.extend_from_slice(&next.to_be_bytes());
            self.append(part);
        }
        first
    }

    /// Returns the image.
    pub fn finish(mut self) -> Vec<u8> {
        let count = (self.pages.len() / PAGE) as u32;
        let mut schema = Page::new(LEAF, LEAF_HEADER);
        let mut row = Row::default();
        for (place, (name, columns, root)) in (1..).zip(&self.tables) {
            let sql = format!("CREATE TABLE {name} ({columns})");
            let cells = [
                Cell::Text("table"),
                Cell::Text(name),
                Cell::Text(name),
                Cell::Int((*root).into()),
                Cell::Text(&sql),
            ];
            row.lay_out(place, &cells);
            schema.push(&row.cell);
        }
        schema.finish();
        let places = LEAF_HEADER + 2 * schema.cells;
        // Here the header of the page lies behind that of the file.
        let first = &mut self.pages[..PAGE];
        first[schema.begin..].copy_from_slice(&schema.bytes[schema.begin..]);
        first[FILE_HEADER..FILE_HEADER + places].copy_from_slice(&schema.bytes[..places]);
        first[..16].copy_from_slice(b"SQLite format 3\0");
        first[16..18].copy_from_slice(&(PAGE as u16).to_be_bytes());
        // No write-ahead log, no bytes kept free, and the fractions that are fixed.
        first[18..24].copy_from_slice(&[1, 1, 0, 64, 32, 32]);
        for (place, value) in [
            (24, 1),         // changes of the file
            (28, count),     // its pages
            (40, 1),         // changes of the schema
            (44, 4),         // schema format
            (56, 1),         // UTF-8
            (92, 1),         // as many changes as the count of pages is of
            (96, 3_037_000), // a version of SQLite that wrote so
        ] {
            first[place..place + 4].copy_from_slice(&u32::to_be_bytes(value));
        }
        self.pages
    }
}

impl TableRows<'_> {
    /// Adds a row behind those that are there.
    pub fn push(&mut self, cells: &[Cell<'_>]) {
        self.rows += 1;
        let begin = self.row.lay_out(self.rows, cells);
        let cell = &mut self.row.cell;
        let length = cell.len() - begin;
        if length > LOCAL_MAX {
            let beyond = LOCAL_MIN + (length - LOCAL_MIN) % OVERFLOW;
            let local = if beyond <= LOCAL_MAX {
                beyond
            } else {
                LOCAL_MIN
            };
            let first = self.image.overflow(&cell[begin + local..]);
            cell.truncate(begin + local);
            cell.extend_from_slice(&first.to_be_bytes());
        }
        if !self.leaf.has_room(cell.len()) {
            self.end_leaf(self.rows - 1);
        }
        self.leaf.push(&self.row.cell);
    }

    fn end_leaf(&mut self, last: u64) {
        let number = self.image.append(self.leaf.finish());
        self.leaves.push((number, last));
        self.leaf = Page::new(LEAF, LEAF_HEADER);
    }

    /// Ends the table: the levels above its leaves, up to one root.
    pub fn finish(mut self) {
        self.end_leaf(self.rows);
        let mut level = std::mem::take(&mut self.leaves);
        while level.len() > 1 {
            level = self.above(&level);
        }
        let root = level[0].0;
        self.image.tables.push((self.name, self.columns, root));
    }

    /// Lays out the pages above a level: its pages and last rows, the last of each page by itself.
    fn above(&mut self, level: &[(u32, u64)]) -> Vec<(u32, u64)> {
        // A page number, the longest row number, and the place of both.
        const CHILDREN: usize = (PAGE - INTERIOR_HEADER) / (4 + 9 + 2);
        let mut above = Vec::new();
        // An interior page has two children at least, so the last two share what is left.
        let pages = level.len().div_ceil(CHILDREN);
        for children in level.chunks(level.len().div_ceil(pages)) {
            let mut page = Page::new(INTERIOR, INTERIOR_HEADER);
            let (right, left) = children.split_last().unwrap_or((&(0, 0), &[]));
            for (number, last) in left {
                let mut cell = number.to_be_bytes().to_vec();
                push_varint(&mut cell, *last);
                page.push(&cell);
            }
            page.bytes[8..12].copy_from_slice(&right.0.to_be_bytes());
            above.push((self.image.append(page.finish()), right.1));
        }
        above
    }
}

/// Appends a number of SQLite's own: seven bits a byte, the highest first (section 1.6).
///
/// No number here has more than 56 bits, beyond which the ninth byte has eight.
fn push_varint(bytes: &mut Vec<u8>, value: u64) {
    if value < 0x80 {
        bytes.push(value as u8);
        return;
    }
    let groups = (64 - value.leading_zeros()).div_ceil(7);
    for group in (0..groups).rev() {
        let more = if group == 0 { 0 } else { 0x80 };
        bytes.push((value >> (7 * group)) as u8 & 0x7f | more);
    }
}
