//! The lab as WebAssembly: four functions, and texts as bytes in memory.
//!
//! 1. `request(length)` makes room for a request and says where; JavaScript writes the bytes there.
//! 2. `answer()` answers it and says how long the answer is.
//! 3. `answer_place()` says where the answer lies; JavaScript reads the bytes from there, before the next request.
//!
//! No glue is generated and none is needed: numbers go in and come out.

use std::cell::RefCell;

thread_local! {
    static REQUEST: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
    static ANSWER: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Makes room for a request of `length` bytes; where it is to be written.
#[no_mangle]
pub extern "C" fn request(length: usize) -> usize {
    REQUEST.with_borrow_mut(|request| {
        request.clear();
        request.resize(length, 0);
        request.as_mut_ptr() as usize
    })
}

/// Answers the request that has been written; the length of the answer in bytes.
#[no_mangle]
pub extern "C" fn answer() -> usize {
    let request = REQUEST.with_borrow_mut(std::mem::take);
    let answer = gclab::lab::answer(&String::from_utf8_lossy(&request));
    let length = answer.len();
    ANSWER.set(answer);
    length
}

/// Where the last answer lies.
#[no_mangle]
pub extern "C" fn answer_place() -> usize {
    ANSWER.with_borrow(|answer| answer.as_ptr() as usize)
}
